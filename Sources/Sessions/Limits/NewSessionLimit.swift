internal import GalletaPlatform
internal import Synchronization

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

    private struct State {
        var interval: Int64 = 0
        var period: Int64 = 0
        /// Empty while there is no limit.
        var buckets: [Bucket] = []
    }

    private let clock: SessionClock
    private let state = Locked(State())
    private let hasLimit = Atomic<Bool>(false)

    init(_ limit: NewSessionLimit?, clock: SessionClock) {
        self.clock = clock
        change(to: limit)
    }

    /// Whether there is a limit.
    var isOn: Bool { hasLimit.load(ordering: .relaxed) }

    /// Has another limit count, or none; all networks begin anew.
    func change(to limit: NewSessionLimit?) {
        var next = State()
        if let limit {
            next.period = limit.period.nanoseconds
            next.interval = max(1, next.period / Int64(limit.count))
            next.buckets = [Bucket](repeating: Bucket(), count: Self.rows * Self.ways)
        }
        state.withLock { $0 = next }
        hasLimit.store(limit != nil, ordering: .relaxed)
    }

    /// Takes one from the network's bucket; else how long until there is one.
    func admit(_ address: String) -> Duration? {
        // Seeded at random by the process: nobody can choose addresses that push another's bucket out.
        let network = ClientNetwork(address).hashValue
        let now = clock.nanoseconds
        return state.withLock { state in
            guard !state.buckets.isEmpty else { return nil }
            let row = Int(UInt(bitPattern: network) % UInt(Self.rows)) * Self.ways
            let places = row..<row + Self.ways
            let place =
                places.first { state.buckets[$0].network == network && state.buckets[$0].full > .min }
                ?? places.min { state.buckets[$0].full < state.buckets[$1].full }!
            let isKnown = state.buckets[place].network == network
            let full = max(now, isKnown ? state.buckets[place].full : .min) + state.interval
            guard full - now <= state.period else { return .nanoseconds(full - now - state.period) }
            state.buckets[place] = Bucket(network: network, full: full)
            return nil
        }
    }
}
