import Galleta

/// The pages. What is interpolated is escaped, unless it is HTML itself.
struct Page {
    private let mount: String
    /// For the hidden field of each form.
    private let token: String
    /// Who is logged in.
    private let user: String?
    private let notice: String?

    init(_ request: Request, _ session: Session) throws {
        mount = request.mount
        token = try session.csrfToken()
        user = try session.user?.string
        notice = try session.popFlash("notice")
    }

    func catalogue(_ items: [Item]) -> HTML {
        let items = items.map { item -> HTML in
            """
            <li>\(item.name), \(item.price)
            \(form("cart", #"<input type="hidden" name="item" value="\#(item.id)"><input name="count" value="1"> <button>Take</button>"#))
            </li>

            """
        }
        return whole("Our shop", "<ul>\n\(items)</ul>")
    }

    func cart(_ cart: Cart) -> HTML {
        let lines = cart.lines.map { line -> HTML in
            "<li>\(line.count) × \((try? Item.find(line.item))?.name)</li>\n"
        }
        return whole("Your cart", lines.isEmpty ? "<p>It is empty.</p>" : "<ul>\n\(lines)</ul>")
    }

    func logIn(next: String?) -> HTML {
        let fields: HTML = """
            <input type="hidden" name="next" value="\(next)">
            <label>Name <input name="name" autocomplete="username" required></label>
            <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
            <button>Log in</button>
            """
        return whole("Log in", form("login", fields))
    }

    func account(photos: [Int]) -> HTML {
        let photos = photos.map { id -> HTML in #"<img src="\#(mount)/account/photos/\#(id)" alt="A photo">"# }
        let upload: HTML = """
            <label>A photo, as JPEG <input type="file" name="photo" accept="image/jpeg" required></label> <button>Send</button>
            """
        return whole(
            "Your account",
            """
            <p>\(photos)</p>
            \(form("account/photos", upload, encoding: "multipart/form-data"))
            <p><a href="\(mount)/account/orders.csv">All orders</a></p>
            """)
    }

    private func whole(_ title: String, _ content: HTML) -> HTML {
        let notice: HTML? = notice.map { #"<p role="status">\#($0)</p>"# }
        let account: HTML =
            if let user {
                form("logout", "\(user) <button>Log out</button>")
            } else {
                #"<a href="\#(mount)/login">Log in</a>"#
            }
        return Self.frame(
            title, mount: mount,
            """
            <nav><a href="\(mount)/">Shop</a> <a href="\(mount)/cart">Cart</a> \(account)</nav>
            \(notice)
            <h1>\(title)</h1>
            \(content)
            """)
    }

    private func form(
        _ action: String, _ content: HTML, encoding: String = "application/x-www-form-urlencoded"
    ) -> HTML {
        """
        <form method="post" action="\(mount)/\(action)" enctype="\(encoding)">
        <input type="hidden" name="csrf" value="\(token)">
        \(content)
        </form>
        """
    }

    static func error(_ error: HTTPError, mount: String) -> HTML {
        let link = error.link ?? HTTPError.Link("To the shop", to: mount + "/")
        return frame(
            error.status.reasonPhrase, mount: mount,
            """
            <h1>\(error.status.reasonPhrase)</h1>
            <p>\(error.explanation)</p>
            <p><a href="\(link.target)">\(link.text)</a></p>
            """)
    }

    private static func frame(_ title: String, mount: String, _ content: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <link rel="stylesheet" href="\(mount)/static/shop.css">
        \(content)
        </html>

        """
    }
}

extension Item {
    fileprivate var price: String { "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100) €" }
}
