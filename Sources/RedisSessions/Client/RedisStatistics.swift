internal import Synchronization

/// What a client has done since it was made.
package struct RedisStatistics: Sendable, Equatable {
    /// Calls, failed ones included.
    package var calls = 0
    /// Requests sent, each of any number of commands.
    package var roundTrips = 0
    /// Requests of one call after its first, but for scripts which the server had not.
    package var retries = 0
    /// Calls that ended at their deadline.
    package var timeouts = 0
    /// Connections made.
    package var connects = 0
    /// Times that calls began to fail at once because those before had failed.
    package var breakerOpenings = 0

    package init() {}
}

/// The counters behind ``RedisStatistics``. Relaxed: each is exact, together they are a moment's blur.
final class RedisCounters: Sendable {
    let calls = Atomic<Int>(0)
    let roundTrips = Atomic<Int>(0)
    let retries = Atomic<Int>(0)
    let timeouts = Atomic<Int>(0)
    let connects = Atomic<Int>(0)
    let breakerOpenings = Atomic<Int>(0)

    func count(_ counter: borrowing Atomic<Int>) {
        counter.add(1, ordering: .relaxed)
    }

    var statistics: RedisStatistics {
        var statistics = RedisStatistics()
        statistics.calls = calls.load(ordering: .relaxed)
        statistics.roundTrips = roundTrips.load(ordering: .relaxed)
        statistics.retries = retries.load(ordering: .relaxed)
        statistics.timeouts = timeouts.load(ordering: .relaxed)
        statistics.connects = connects.load(ordering: .relaxed)
        statistics.breakerOpenings = breakerOpenings.load(ordering: .relaxed)
        return statistics
    }
}
