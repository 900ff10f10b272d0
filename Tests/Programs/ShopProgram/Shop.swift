import Galleta

// The article "Test your handlers" shows these files from the first line to the last; `ArticleTests` compares the two.

/// What the shop answers, wherever it is served.
func addShop(to app: Application) {
    app.post("/cart") { request, session in
        let item = try item(in: request)
        try session.update("cart", default: [String]()) { $0.append(item) }
        return try .redirect(to: "/cart")
    }
    app.get("/cart") { _, session in
        let cart = try session.get("cart", as: [String].self) ?? []
        return try .json(cart)
    }
    app.post("/photos") { request, _ in
        let photo = try request.form().file("photo")
        return "\(photo?.filename ?? "nothing"), \(photo?.size ?? 0) bytes\n"
    }
    app.get("/orders", steps: [.requireUser()]) { _, session in
        "Orders of \(try session.user ?? "nobody")\n"
    }
    app.get("/news") { _, _ in
        .events { events in
            try await events.send("figs are ripe", id: "1")
            try await events.send("dates are in", id: "2")
        }
    }
}

/// The item that a form asks for.
func item(in request: Request) throws -> String {
    let item = try request.form().fields.require("item")
    guard item.count <= 20 else { throw HTTPError(.badRequest, "no item has so long a name") }
    return item
}
