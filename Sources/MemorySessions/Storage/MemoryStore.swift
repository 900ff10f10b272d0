internal import GalletaPlatform
internal import Sessions
internal import Synchronization

/// The shards and the count of sessions. Thread-safe; no lock is held while another is taken, but for a rotation, which
/// takes the lower shard first.
final class MemoryStore: Sendable {
    static let shardCount = 256
    /// The most slots looked at in one hold of a shard's lock by garbage collection.
    static let sliceLimit = 64
    /// The most slots looked at for the sake of one new session at the cap: about 0.1 ms of a request.
    static let reclaimLooks = 512

    let clock: SessionClock
    let maximumSessions: Int
    private let shards: [Locked<MemoryShard>]
    private let sessions = Atomic<Int>(0)
    /// The shard where `collect` goes on.
    private let cursor = Atomic<Int>(0)
    /// No search for expired sessions, for the sake of a new one, before this moment.
    private let nextReclaim = Atomic<Int64>(.min)

    init(clock: SessionClock, maximumSessions: Int) {
        self.clock = clock
        self.maximumSessions = maximumSessions
        shards = (0..<Self.shardCount).map { _ in Locked(MemoryShard()) }
    }

    var count: Int { sessions.load(ordering: .relaxed) }

    @inline(__always)
    func shardIndex(_ id: SessionID) -> Int {
        Int(truncatingIfNeeded: id.word0) & (Self.shardCount - 1)
    }

    @inline(__always)
    func shard(_ id: SessionID) -> Locked<MemoryShard> {
        shards[shardIndex(id)]
    }

    /// Runs `body` on two shards at once; both pointers are the same for one shard.
    func withShards<Result>(
        of first: SessionID, and second: SessionID,
        _ body: (UnsafeMutablePointer<MemoryShard>, UnsafeMutablePointer<MemoryShard>) -> Result
    ) -> Result {
        let (one, two) = (shardIndex(first), shardIndex(second))
        if one == two {
            return shards[one].withLock { shard in withUnsafeMutablePointer(to: &shard) { body($0, $0) } }
        }
        return shards[min(one, two)].withLock { lower in
            shards[max(one, two)].withLock { upper in
                withUnsafeMutablePointer(to: &lower) { lower in
                    withUnsafeMutablePointer(to: &upper) { upper in
                        one < two ? body(lower, upper) : body(upper, lower)
                    }
                }
            }
        }
    }

    // MARK: Count

    /// Makes room for one session; false when the store is at its cap and nothing has expired.
    func reserve(at now: Int64) -> Bool {
        if sessions.add(1, ordering: .relaxed).newValue <= maximumSessions { return true }
        if now >= nextReclaim.load(ordering: .relaxed) {
            let reclaimed = collect(limit: Self.sliceLimit, looks: Self.reclaimLooks, at: now)
            if reclaimed.removed > 0, sessions.load(ordering: .relaxed) <= maximumSessions { return true }
            // Under a flood of new sessions not each of them searches all shards for nothing.
            if !reclaimed.hasMore { nextReclaim.store(now + 10_000_000, ordering: .relaxed) }
        }
        released(1)
        return false
    }

    func released(_ count: Int) {
        if count > 0 { sessions.subtract(count, ordering: .relaxed) }
    }

    /// Counts a slot that was taken out in passing.
    func released(_ slot: MemorySlot?) {
        if let slot, !slot.isAlias { released(1) }
    }

    /// Slots in use, aliases included; looks at every shard.
    var slotCount: Int {
        shards.reduce(0) { $0 + $1.withLock { $0.slotCount } }
    }

    // MARK: Collection

    /// One hold of one shard's lock; expired values are released after it.
    func sweep(shard: Int, at now: Int64, limit: Int, garbage: inout [SessionValues]) -> MemorySlice {
        let slice = shards[shard].withLock { $0.sweep(at: now, limit: limit, into: &garbage) }
        garbage.removeAll(keepingCapacity: true)
        released(slice.removed)
        return slice
    }

    /// Removes at most `limit` expired sessions, over all shards in turn, and looks at no more than `looks` slots.
    func collect(limit: Int, looks: Int, at now: Int64) -> SessionCollection {
        var removed = 0
        var looked = 0
        var garbage: [SessionValues] = []
        garbage.reserveCapacity(Self.sliceLimit)
        var position = cursor.load(ordering: .relaxed)
        var visited = 0
        while visited < Self.shardCount {
            guard removed < limit, looked < looks else { break }
            let slice = sweep(
                shard: position, at: now, limit: min(Self.sliceLimit, limit - removed, looks - looked),
                garbage: &garbage)
            removed += slice.removed
            looked += slice.looked
            if !slice.hasMore {
                visited += 1
                position = (position + 1) % Self.shardCount
            }
        }
        cursor.store(position, ordering: .relaxed)
        return SessionCollection(removed: removed, hasMore: visited < Self.shardCount)
    }
}
