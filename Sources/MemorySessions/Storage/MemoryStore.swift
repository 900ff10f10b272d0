internal import GalletaPlatform
internal import Sessions
internal import Synchronization

/// The shards, the index of users and what is counted. Thread-safe.
///
/// Order of locks: the endings of a user, a shard, a second shard with a higher number (only to move a session), a part of
/// the index, the ranks of users; the journal's, with no other after it.
final class MemoryStore: Sendable {
    static let shardCount = 256
    /// The most slots looked at in one hold of a shard's lock by garbage collection.
    static let sliceLimit = 64

    let clock: SessionClock
    let maximumSessions: Int
    let maximumBytes: Int
    let users = UserIndex()
    let ledger: MemoryLedger
    /// The ledger's, for lookups: what they ask is not beside counts that change all the time.
    let restored: RestoredIDs
    let shards: [Locked<MemoryShard>]
    /// Held while sessions of a user are ended beside one that is spared. The number is nothing: a lock over nothing shares its
    /// address with others, which the thread sanitizer takes for a race.
    private let endings = (0..<64).map { _ in Locked(0) }
    /// The shard where `collect` goes on.
    private let cursor = Atomic<Int>(0)
    /// The shard where the next eviction begins to look.
    let evictionStart = Atomic<Int>(0)
    /// No search for room before this moment, while there are only users' sessions.
    let nextSearch = Atomic<Int64>(.min)

    /// - Parameter journal: Of the store's sessions, if there is one.
    init(
        clock: SessionClock, maximumSessions: Int, maximumBytes: Int, journal: StateJournal? = nil
    ) {
        self.clock = clock
        self.maximumSessions = maximumSessions
        self.maximumBytes = maximumBytes
        restored = RestoredIDs()
        let ledger = MemoryLedger(restored: restored, journal: journal)
        self.ledger = ledger
        let users = users
        shards = (0..<Self.shardCount).map { _ in Locked(MemoryShard(ledger: ledger, users: users)) }
    }

    func endings(of user: ByteString) -> Locked<Int> {
        endings[Int(UInt(bitPattern: user.hashValue) % 64)]
    }

    var count: Int { ledger.sessions.load(ordering: .relaxed) }

    @inline(__always)
    func shardIndex(_ id: MemoryKey) -> Int {
        Int(truncatingIfNeeded: id.word0) & (Self.shardCount - 1)
    }

    @inline(__always)
    func shard(_ id: MemoryKey) -> Locked<MemoryShard> {
        shards[shardIndex(id)]
    }

    /// Runs `body` on two shards at once; both pointers are the same for one shard.
    func withShards<Result>(
        of first: MemoryKey, and second: MemoryKey,
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

    /// Puts a new session in, and makes room for it if need be.
    ///
    /// - Parameter user: The user in the slot's values, when its kind is `user`.
    func insert(_ slot: MemorySlot, user: ByteString?, at now: Int64) -> SessionCreation {
        let cost = MemorySlot.cost(values: slot.values, user: user)
        if restored.areInUse { claim(slot.id, at: now) }
        guard reserve(cost, isLogIn: user != nil, at: now) else { return .full }
        let binding = user.map { (user: $0, serial: UInt64.random(in: .min ... .max)) }
        var expired: MemorySlot?
        let isInserted = shard(slot.id).withLock { shard in
            guard !shard.isTaken(slot.id, at: now, expired: &expired) else { return false }
            shard.insert(slot, binding: binding)
            if let binding { ledger.journal(.session(slot, serial: binding.serial)) }
            return true
        }
        withExtendedLifetime(expired) {}
        guard isInserted else {
            ledger.release(sessions: 1, bytes: cost)
            return .exists
        }
        return .created()
    }

    /// Runs `body` under the lock of the shard where the session is; nil when the user has none of this serial.
    ///
    /// A session that rotates meanwhile is looked for under its next id, until it is found or no longer the user's.
    func withSession<Result>(
        _ serial: UInt64, of user: ByteString, _ body: (inout MemoryShard, UInt32) -> Result
    ) -> Result? {
        while let id = users.id(of: serial, user: user) {
            let result = shard(id).withLock { shard -> Result? in
                // Under this lock no session of the shard moves, so the index is right about an id that is here.
                guard users.id(of: serial, user: user) == id, let (number, _) = shard.slot(of: id) else {
                    return nil
                }
                return body(&shard, number)
            }
            if let result { return result }
        }
        return nil
    }

    /// Takes a user's session out.
    ///
    /// - Parameter isLogOut: Whether somebody wants it to be over, so that it must not come back.
    /// - Returns: The slot, and whether it was live; nil when the user has no such session.
    func remove(
        _ serial: UInt64, of user: ByteString, at now: Int64, isLogOut: Bool
    ) -> (slot: MemorySlot, isLive: Bool)? {
        withSession(serial, of: user) { shard, number in
            let slot = shard.remove(number)
            if isLogOut { shard.journalRemoval(slot) }
            let isLive = slot.deadline > now
            if !isLive { shard.ledger.expired(1) }
            return (slot, isLive)
        }
    }

    /// Slots in use, replaced ids included; looks at every shard.
    var slotCount: Int {
        shards.reduce(0) { $0 + $1.withLock { $0.slotCount } }
    }

    /// Places for slots, used or not; looks at every shard.
    var capacity: Int {
        shards.reduce(0) { $0 + $1.withLock { $0.pool.capacity } }
    }

    // MARK: Collection

    /// One hold of one shard's lock; expired values are released after it.
    func sweep(shard: Int, at now: Int64, limit: Int, garbage: inout [SessionValues]) -> MemorySlice {
        let slice = shards[shard].withLock { $0.sweep(at: now, limit: limit, into: &garbage) }
        garbage.removeAll(keepingCapacity: true)
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
