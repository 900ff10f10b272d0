import GalletaCommand

/// What PHP's pages keep in `$_SESSION['cart']`: an array of these, by the item's id.
struct Line: Codable {
    let name: String
    let cents: Int
    var count: Int
}

typealias Cart = [String: Line]

extension Cart {
    /// - Throws: 400 or 404, for what cannot be.
    mutating func change(_ item: String, to count: Int) throws {
        guard 0...99 ~= count else { throw HTTPError(.badRequest, "Take 0 to 99 of an item.") }
        guard self[item] != nil else { throw HTTPError(.notFound, "That is not in your cart.") }
        self[item]?.count = count
        if count == 0 { self[item] = nil }
    }
}
