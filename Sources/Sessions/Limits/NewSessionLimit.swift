internal import GalletaPlatform

/// How many sessions without a user one client network may begin in a time.
///
/// A network is the first 24 bits of an IPv4 address, the first 56 of an IPv6 one: what one customer of a provider
/// easily has. The count is a bucket that refills evenly: `count` at once, then one each `period / count`.
public struct NewSessionLimit: Hashable, Sendable {
    /// Sessions; 1 to 1,000,000.
    public var count: Int
    /// In this time; 1 s to 1 day.
    public var period: Duration

    /// A limit of `count` sessions in `period`.
    public init(_ count: Int, per period: Duration) {
        self.count = count
        self.period = period
    }

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ConfigurationError(
                field: "newSessionLimit.count",
                reason: "\(count) is not within 1 and 1,000,000",
                remedy: "give a number between them")
        }
        guard period >= .seconds(1), period <= .seconds(86_400) else {
            throw ConfigurationError(
                field: "newSessionLimit.period",
                reason: "\(period) is not within 1 second and 1 day",
                remedy: "give a time between them")
        }
    }
}

/// Counts new sessions by client network in a table of fixed size: a flood costs no memory.
///
/// Each network has a bucket that refills evenly, kept as the one moment at which it is full again (GCRA). A network
/// without a place takes that of the bucket that is fullest of four, so the worst ones are remembered longest.
/// Thread-safe.
final class NewSessionLimiter: Sendable {
    private struct Bucket {
        var network: Int = 0
        /// When the bucket is full again; nanoseconds.
        var full: Int64 = .min
    }

    private static let ways = 4
    private static let rows = 2_048

    private let limit: NewSessionLimit
    private let interval: Int64
    private let period: Int64
    private let clock: SessionClock
    private let buckets = Locked([Bucket](repeating: Bucket(), count: rows * ways))

    init(_ limit: NewSessionLimit, clock: SessionClock) {
        self.limit = limit
        self.clock = clock
        period = limit.period.nanoseconds
        interval = max(1, period / Int64(limit.count))
    }

    /// Takes one from the network's bucket; else how long until there is one.
    func admit(_ address: String) -> Duration? {
        // Seeded at random by the process: nobody can choose addresses that push another's bucket out.
        let network = ClientNetwork(address).hashValue
        let now = clock.nanoseconds
        return buckets.withLock { buckets in
            let row = Int(UInt(bitPattern: network) % UInt(Self.rows)) * Self.ways
            let places = row..<row + Self.ways
            let place =
                places.first { buckets[$0].network == network && buckets[$0].full > .min }
                ?? places.min { buckets[$0].full < buckets[$1].full }!
            let isKnown = buckets[place].network == network
            let full = max(now, isKnown ? buckets[place].full : .min) + interval
            guard full - now <= period else { return .nanoseconds(full - now - period) }
            buckets[place] = Bucket(network: network, full: full)
            return nil
        }
    }
}
