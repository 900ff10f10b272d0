import GalletaCommand

/// The page. What is interpolated is escaped, unless it is HTML itself.
struct Page {
    let mount: String
    /// For the hidden field of each form.
    let token: String
    /// Who is logged in.
    let user: String?
    let notice: String?
    let notes: [String]

    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>TEMPLATE</title>
        <h1>Hello, \(user ?? "visitor")</h1>
        \(notice.map { "<p role=\"status\">\($0)</p>" as HTML })
        <ul>\(notes.map { "<li>\($0)</li>" as HTML })</ul>
        \(form("note", #"<label>A note <input name="note" required maxlength="200"></label> <button>Keep it</button>"#))
        \(user == nil ? logIn : form("logout", "<button>Log out</button>"))
        </html>

        """
    }

    private var logIn: HTML {
        form(
            "login",
            """
            <label>Name <input name="name" autocomplete="username" required></label>
            <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
            <button>Log in</button>
            """)
    }

    private func form(_ action: String, _ content: HTML) -> HTML {
        """
        <form method="post" action="\(mount)/\(action)"><input type="hidden" name="csrf" value="\(token)">
        \(content)
        </form>
        """
    }
}
