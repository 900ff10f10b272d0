import Galleta

/// What a visitor wants to buy; it is kept in the session, and is JSON for scripts.
struct Cart: Codable {
    struct Line: Codable {
        let item: Int
        var count: Int
    }

    private(set) var lines: [Line] = []

    /// - Throws: 400 or 404, for what cannot be bought.
    mutating func add(_ line: Line) throws {
        _ = try Item.find(line.item)
        guard 1...99 ~= line.count else { throw HTTPError(.badRequest, "Take 1 to 99 of an item.") }
        if let index = lines.firstIndex(where: { $0.item == line.item }) {
            lines[index].count = min(99, lines[index].count + line.count)
        } else {
            lines.append(line)
        }
    }
}

extension Cart {
    /// `GET /cart`: the page. `POST /cart`: one more line. `GET` and `PUT /api/cart`: the cart as JSON.
    static func addRoutes(to app: some RouteBuilder) {
        app.get("/cart") { request, session in
            try Page(request, session).cart(session.get("cart") ?? Cart())
        }
        app.post("/cart") { request, session in
            let line = try request.decode(Line.self)
            // Atomic: of two clicks at the same time none is lost.
            try session.update("cart", default: Cart()) { cart in try cart.add(line) }
            try session.setFlash("notice", "It is in your cart.")
            return try .redirect(back: request, or: request.mount + "/cart")
        }
        app.get("/api/cart") { _, session in
            try .json(session.get("cart") ?? Cart())
        }
        app.put("/api/cart") { request, session in
            var cart = Cart()
            for line in try request.decode(Cart.self).lines { try cart.add(line) }
            try session.set("cart", cart)
            return try .json(cart)
        }
    }
}
