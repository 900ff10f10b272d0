internal import GalletaPlatform
internal import Synchronization

/// What the workers have to do, counted as they do it, and how many of them that needs awake.
///
/// Threading: any thread.
final class Load: Sendable {
    // Demand, as the last update left it.
    private let demand: Locked<Demand>
    private let neededCount: Atomic<Int>
    private let isBlocking = Atomic<Bool>(false)
    // What it will look at next.
    private let events = Atomic<Int>(0)
    private let busy = Atomic<Int64>(0)
    private let updatedAt: Atomic<Int64>
    /// The share of events in which the processor was given up: a moving average, in 1/1024.
    private let blocked = Atomic<Int>(0)

    /// Nanoseconds from one look at the demand to the next.
    private static let period: Int64 = 10_000_000

    init(workers: Int, processors: Int) {
        let demand = Demand(workers: workers, processors: processors)
        neededCount = Atomic(demand.needed)
        self.demand = Locked(demand)
        updatedAt = Atomic(BootInstant.now.nanoseconds)
    }

    /// How many workers should be awake.
    var needed: Int { neededCount.load(ordering: .relaxed) }

    /// How many events a worker may take at a time, if one takes it so long, in nanoseconds.
    func batch(serviceTime: Int64) -> Int {
        Demand.batch(serviceTime: serviceTime, isBlocking: isBlocking.load(ordering: .relaxed))
    }

    /// Adds what a worker has done: so many events, in so many nanoseconds. True if more are needed than before.
    func record(_ count: Int, busy duration: Int64, at now: BootInstant) -> Bool {
        events.add(count, ordering: .relaxed)
        busy.add(duration, ordering: .relaxed)
        let before = updatedAt.load(ordering: .relaxed)
        guard now.nanoseconds - before >= Self.period,
            updatedAt.compareExchange(expected: before, desired: now.nanoseconds, ordering: .relaxed).exchanged
        else { return false }
        return update(elapsed: now.nanoseconds - before)
    }

    /// Adds one event of which it is known whether the processor was given up in it.
    func record(isBlocked: Bool) {
        let before = blocked.load(ordering: .relaxed)
        // Lost to another worker's now and then: it is an estimate.
        blocked.store(before + ((isBlocked ? 1024 : 0) - before) / 8, ordering: .relaxed)
    }

    private func update(elapsed: Int64) -> Bool {
        let sample = Demand.Sample(
            events: events.exchange(0, ordering: .relaxed),
            busy: busy.exchange(0, ordering: .relaxed),
            elapsed: elapsed,
            blocked: Double(blocked.load(ordering: .relaxed)) / 1024
        )
        let (needed, isBlocking) = demand.withLock { demand in
            demand.update(sample)
            return (demand.needed, demand.isBlocking)
        }
        self.isBlocking.store(isBlocking, ordering: .relaxed)
        return neededCount.exchange(needed, ordering: .sequentiallyConsistent) < needed
    }
}
