import GalletaCommand

/// Two endpoints beside the pages: the cart for scripts, and the checkout.
@main
struct Checkout: ServerCommand {
    @OptionGroup var options: ServerOptions

    func routes(_ app: Application) {
        app.use(.requireCSRF())
        app.get("/cart") { _, session in
            try .json(session.get("cart") ?? Cart())
        }
        app.get("/checkout") { request, session in
            try Page(request, session).checkout(session.get("cart") ?? Cart())
        }
        app.post("/cart") { request, session in
            let form = try request.form().fields
            let (item, count) = try (form.require("item"), form.require("count", as: Int.self))
            try session.update("cart", default: Cart()) { cart in try cart.change(item, to: count) }
            return try .redirect(to: request.mount + "/checkout")
        }
        app.post("/checkout") { request, session in
            guard let user = try session.user?.string else { throw HTTPError(.unauthorized, "Log in first.") }
            guard let cart = try session.get("cart", as: Cart.self), !cart.isEmpty else {
                throw HTTPError(.conflict, "Your cart is empty.")
            }
            // Here a shop writes the order into its database.
            try session.delete("cart")
            try session.setFlash("notice", "Thank you, \(user)! Your pots are on their way.")
            return try .redirect(to: request.mount + "/checkout")
        }
    }
}
