internal import Sessions

extension MemorySlot {
    /// Bytes of a slot and of its places in the table and the order, with what growing arrays keep in reserve.
    private static let slotCost = 128
    /// Bytes of a session's entry in the index of users, with its share of the index.
    private static let userCost = 168

    /// The bytes that a session takes, as the cap counts them.
    static func cost(values: SessionValues, user: ByteString?) -> Int {
        var cost = slotCost + blockCost(values)
        if let user {
            let name = user.count
            // Text of up to 15 bytes is within its owner.
            cost += userCost + (name > 15 ? rounded(name + 32) : 0)
        }
        return cost
    }

    /// The bytes that a slot takes; looks for the user's name only if there is one.
    var cost: Int {
        Self.cost(values: values, user: user)
    }

    /// The user whom the session belongs to.
    var user: ByteString? {
        kind == .user ? values.user : nil
    }

    private static func blockCost(_ values: SessionValues) -> Int {
        values.isEmpty ? 0 : rounded(values.byteCount + 24)
    }

    /// What malloc takes for so many bytes: eight more, in steps of 16, at least 32.
    private static func rounded(_ bytes: Int) -> Int {
        max(32, (bytes + 8 + 15) & ~15)
    }
}
