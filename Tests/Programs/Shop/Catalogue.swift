import Galleta

/// What the shop sells.
struct Item {
    let id: Int
    let name: String
    let cents: Int

    static let all = [
        Item(id: 1, name: "Figs", cents: 320), Item(id: 2, name: "Dates, \"Medjool\"", cents: 490),
        Item(id: 3, name: "Almonds & honey", cents: 650),
    ]

    /// - Throws: 404, where there is no such item.
    static func find(_ id: Int) throws -> Item {
        guard let item = all.first(where: { $0.id == id }) else { throw HTTPError(.notFound, "There is no such item.") }
        return item
    }
}

/// `GET /`: the items. `GET /items/:id/stock`: how many of one there are, as JSON.
struct Catalogue {
    let warehouse: Warehouse

    func add(to app: some RouteBuilder) {
        app.get("/") { request, session in
            try Page(request, session).catalogue(Item.all)
        }
        app.get("/items/:id/stock") { [warehouse] request, _ in
            let item = try Item.find(request.pathParameters.require("id", as: Int.self))
            return try .json(["stock": await warehouse.stock(of: item)])
        }
    }
}

/// Stands for a service on another machine: while a handler waits for it, no worker does.
actor Warehouse {
    private let stock = [1: 40, 2: 12]
    func stock(of item: Item) -> Int { stock[item.id] ?? 0 }
}
