internal import RESP

/// What a node of a cluster says about the others, out of the reply to `CLUSTER SLOTS`.
struct ClusterSlots: Equatable {
    /// The primary that has the slot; nil when nobody has it.
    private(set) var owner: RedisAddress?
    /// All nodes, replicas included.
    private(set) var nodes: [RedisAddress] = []

    /// - Parameter address: Who has said it.
    /// - Returns: Nil for anything but such a reply.
    init?(_ reply: RESPValue, slot: Int, by address: RedisAddress) {
        guard let ranges = reply.array else { return nil }
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer
            else { return nil }
            for (index, part) in parts.dropFirst(2).enumerated() {
                // Null is a host that the node does not know: its own.
                guard let node = part.array, node.count >= 2, let number = node[1].integer,
                    let port = UInt16(exactly: number), port > 0,
                    let found = RedisAddress(announcedHost: node[0].text ?? "", port: port, by: address)
                else { return nil }
                if index == 0, (first...max(first, last)).contains(Int64(slot)) { owner = found }
                if !nodes.contains(found) { nodes.append(found) }
            }
        }
    }
}

/// The slot of a cluster that keys with a hash tag belong to (Redis cluster specification, "Key distribution model").
enum HashSlot {
    static let count = 16_384

    /// - Parameter tag: What stands between the key's first braces.
    static func of(_ tag: some Sequence<UInt8>) -> Int {
        // CRC-16/XMODEM.
        var crc: UInt16 = 0
        for byte in tag {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        }
        return Int(crc) % count
    }
}
