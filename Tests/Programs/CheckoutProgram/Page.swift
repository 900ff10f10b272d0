import GalletaCommand

/// The page in Swift, in the frame of those in PHP.
struct Page {
    private let mount: String
    private let token: String
    private let user: String?
    private let notice: String?

    init(_ request: Request, _ session: Session) throws {
        mount = request.mount
        token = try session.csrfToken()
        user = try session.user?.string
        notice = try session.popFlash("notice")
    }

    func checkout(_ cart: Cart) -> HTML {
        let lines = cart.sorted { $0.value.name < $1.value.name }.map { item, line -> HTML in
            """
            <li><form method="post" action="\(mount)/cart">\(hidden)<input type="hidden" name="item" value="\(item)">
            \(line.name), \(euro(line.count * line.cents))
            <input name="count" type="number" min="0" max="99" value="\(line.count)"> <button>Change</button></form></li>

            """
        }
        let sum = cart.values.reduce(0) { $0 + $1.count * $1.cents }
        let order: HTML =
            if user == nil {
                #"<p><a href="/">Log in</a> to order.</p>"#
            } else {
                #"<form method="post" action="\#(mount)/checkout">\#(hidden)<button>Order for \#(euro(sum))</button></form>"#
            }
        return frame("Checkout", cart.isEmpty ? "<p>Your cart is empty.</p>" : "<ul>\n\(lines)</ul>\n\(order)")
    }

    private var hidden: HTML { #"<input type="hidden" name="csrf" value="\#(token)">"# }

    private func euro(_ cents: Int) -> String { "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100) €" }

    private func frame(_ title: String, _ content: HTML) -> HTML {
        let notice: HTML? = notice.map { #"<p role="status">\#($0)</p>"# }
        return """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <link rel="stylesheet" href="/shop.css">
            <header><a href="/">Pots</a> <a href="/cart.php">Cart</a> <a href="\(mount)/checkout">Checkout</a> <span>\
            \(user ?? "nobody is logged in")</span></header>
            <main>
            \(notice)
            <h1>\(title)</h1>
            \(content)
            </main>
            </html>

            """
    }
}
