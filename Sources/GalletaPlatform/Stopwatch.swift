internal import Synchronization

/// Adds up how long something takes, again and again; it can be read while that goes on.
///
/// Two clock readings for each time that is measured. Threading: usable from any thread; of times that overlap the common part
/// may count once only.
package final class Stopwatch: Sendable {
    private let sum = Atomic<Int64>(0)
    /// Since when something goes on; 0 while nothing does.
    private let since = Atomic<Int64>(0)

    package init() {}

    /// What was measured so far, in nanoseconds.
    package var nanoseconds: Int64 {
        let since = since.load(ordering: .relaxed)
        let running = since == 0 ? 0 : BootInstant.now.nanoseconds - since
        return sum.load(ordering: .relaxed) + max(0, running)
    }

    /// Runs `body`, and adds its time.
    package func measure<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        let begin = start()
        defer { stop(begin) }
        return try body()
    }

    /// Begins a time that ``stop(_:)`` ends: where `measure` cannot be used, around what suspends.
    package func start() -> BootInstant {
        let now = BootInstant.now
        since.store(now.nanoseconds, ordering: .relaxed)
        return now
    }

    /// Ends what ``start()`` has begun.
    package func stop(_ begin: BootInstant) {
        since.store(0, ordering: .relaxed)
        sum.add(BootInstant.now.nanoseconds - begin.nanoseconds, ordering: .relaxed)
    }
}
