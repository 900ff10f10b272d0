import GalletaCommand

struct Page {
    let mount: String
    let token: String
    let user: String?

    init(_ request: Request, _ session: Session) throws {
        mount = request.mount
        token = try session.csrfToken()
        user = try session.user?.string
    }

    func logIn(next: String?) -> HTML {
        """
        <!doctype html>
        <title>Log in</title>
        <form method="post" action="\(mount)/login">
        <input type="hidden" name="csrf" value="\(token)">
        <input type="hidden" name="next" value="\(next)">
        <label>Name <input name="name" autocomplete="username" required></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Log in</button>
        </form>

        """
    }

    func diary() -> HTML {
        """
        <!doctype html>
        <title>Diary</title>
        <h1>The diary of \(user)</h1>
        <form method="post" action="\(mount)/logout">
        <input type="hidden" name="csrf" value="\(token)">
        <button>Log out</button>
        </form>

        """
    }
}
