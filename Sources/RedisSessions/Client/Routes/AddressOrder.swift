/// Addresses in the order in which they are asked: who has answered comes first.
struct AddressOrder: Equatable {
    private(set) var addresses: [RedisAddress]
    /// Where the configured ones end, which are never forgotten.
    private let configured: [RedisAddress]

    private static let limit = 64

    init(_ configured: [RedisAddress]) {
        self.configured = configured
        addresses = configured
    }

    mutating func answered(_ address: RedisAddress) {
        guard addresses.first != address, let index = addresses.firstIndex(of: address) else { return }
        addresses.remove(at: index)
        addresses.insert(address, at: 0)
    }

    /// Those that a server has named take the place of those named before; the configured ones are asked last.
    mutating func learned(_ named: [RedisAddress], by address: RedisAddress) {
        addresses = Array(named.prefix(Self.limit)) + configured.filter { !named.contains($0) }
        answered(address)
    }

    /// The one after this, at the end the first.
    func next(after address: RedisAddress) -> RedisAddress {
        guard let index = addresses.firstIndex(of: address) else { return addresses[0] }
        return addresses[(index + 1) % addresses.count]
    }
}
