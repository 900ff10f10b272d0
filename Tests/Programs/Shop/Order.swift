import Galleta

/// What somebody has bought.
struct Order {
    let number: Int
    let item: Item
    let count: Int

    /// Stands for a table of a database: none of them is there before it is read.
    static var all: some Sequence<Order> {
        (1...10_000).lazy.map { Order(number: $0, item: Item.all[$0 % Item.all.count], count: $0 % 7 + 1) }
    }

    /// A row of RFC 4180.
    var row: String {
        "\(number),\"\(item.name.replacing("\"", with: "\"\""))\",\(count),\(count * item.cents)\r\n"
    }

    /// `GET /orders.csv`: all orders, as a file to keep. Each row is made when there is room for it.
    static func addRoutes(to account: some RouteBuilder) {
        account.get("/orders.csv") { _, _ in
            let list = Response.asyncStream(type: "text/csv; charset=utf-8") { writer in
                try await writer.write("number,item,count,cents\r\n")
                for order in all { try await writer.write(order.row) }
            }
            return list.asDownload(named: "orders.csv")
        }
    }
}
