internal import Dispatch
internal import GalletaPlatform
internal import Glibc
internal import Sessions
internal import Synchronization

/// Garbage collection in the background: a Dispatch timer on the serial queue of all background work.
///
/// A run visits each shard once, in slices that hold its lock for at most 64 slots, and sleeps between full slices:
/// unlocking alone is not enough, since the lock is not fair and would be taken straight back. After the run the timer
/// is set to the next deadline, within limits; with nothing to collect that is two wake-ups a minute.
final class MemoryCollector: @unchecked Sendable {
    // Safe: `timer` is thread-safe by Dispatch's own contract, `trimmer` is used on the queue only, the rest is
    // immutable or atomic.
    private let store: MemoryStore
    private let timer: any DispatchSourceTimer
    private let isClosed = Atomic<Bool>(false)
    /// What may be due first, by the store's clock, as far as the last run knows.
    private let nextDue = Atomic<Int64>(.max)
    /// The longest slice of the last run, in nanoseconds.
    private let longestSlice = Atomic<Int64>(0)
    private var trimmer: MemoryTrimmer

    private static let shortestNap: Int64 = 1_000_000_000
    private static let longestNap: Int64 = 30_000_000_000

    init(store: MemoryStore, queue: DispatchQueue) {
        self.store = store
        trimmer = MemoryTrimmer(at: .now)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in
            self?.run()
        }
        schedule(after: Self.shortestNap)
        timer.activate()
    }

    deinit {
        // A source that is alive keeps its handler and the queue alive; cancelling lets both go.
        timer.cancel()
    }

    func close() {
        isClosed.store(true, ordering: .relaxed)
        timer.cancel()
    }

    /// How long what is due has waited, and the longest slice of the last run.
    var figures: (lag: Duration, slice: Duration) {
        let due = nextDue.load(ordering: .relaxed)
        let lag = due == .max ? 0 : max(0, store.clock.nanoseconds.subtractingSaturated(due))
        return (.nanoseconds(lag), .nanoseconds(longestSlice.load(ordering: .relaxed)))
    }

    private func schedule(after nanoseconds: Int64) {
        timer.schedule(deadline: .now() + .nanoseconds(Int(nanoseconds)), leeway: .milliseconds(100))
    }

    private func run() {
        var garbage: [SessionValues] = []
        garbage.reserveCapacity(MemoryStore.sliceLimit)
        var next = Int64.max
        var fullSlices = 0
        var longest: Int64 = 0
        let settles = store.isHalfFull
        for shard in store.shards.indices {
            next = min(next, sweep(shard, &garbage, &fullSlices, &longest))
            inSlices(&fullSlices) {
                settles && store.shards[shard].withLock { $0.settle(limit: MemoryStore.sliceLimit) }
            }
            inSlices(&fullSlices) {
                store.shards[shard].withLock { $0.compact(limit: MemoryStore.sliceLimit) }
            }
        }
        guard !isClosed.load(ordering: .relaxed) else { return }
        nextDue.store(next, ordering: .relaxed)
        longestSlice.store(longest, ordering: .relaxed)
        trimmer.trim(held: store.ledger.bytes.load(ordering: .relaxed), at: .now)
        let wait = next == .max ? Self.longestNap : next.subtractingSaturated(store.clock.nanoseconds)
        schedule(after: min(max(wait, Self.shortestNap), Self.longestNap))
    }

    /// - Returns: The earliest moment at which something in the shard may be due.
    private func sweep(
        _ shard: Int, _ garbage: inout [SessionValues], _ fullSlices: inout Int, _ longest: inout Int64
    ) -> Int64 {
        var next = Int64.max
        inSlices(&fullSlices) {
            let begin = BootInstant.now
            defer { longest = max(longest, begin.duration(to: .now).nanoseconds) }
            let slice = store.sweep(
                shard: shard, at: store.clock.nanoseconds, limit: MemoryStore.sliceLimit, garbage: &garbage)
            next = slice.nextBound ?? .max
            return slice.hasMore
        }
        return next
    }

    /// Runs `slice` until it says that there is no more to do, and sleeps in between.
    private func inSlices(_ fullSlices: inout Int, _ slice: () -> Bool) {
        while !isClosed.load(ordering: .relaxed), slice() {
            fullSlices += 1
            // A large backlog costs memory, so it is worth a faster pace: from 0.1 to 0.4 million a second.
            usleep(fullSlices < 64 ? 500 : 100)
        }
    }
}
