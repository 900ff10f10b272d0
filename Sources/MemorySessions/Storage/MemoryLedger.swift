internal import Sessions
internal import Synchronization

/// What the store holds and what happened in it, over all shards. Thread-safe.
///
/// Sessions and bytes are added before a slot is put into a shard (they are reserved, see `MemoryStore.reserve`), and
/// taken off by the shard when the slot goes.
final class MemoryLedger: Sendable {
    /// Sessions, those about to be inserted included.
    let sessions = Atomic<Int>(0)
    /// Bytes of sessions and of replaced ids, as `MemorySlot.cost` counts them.
    let bytes = Atomic<Int>(0)
    /// Sessions with a user.
    let users = Atomic<Int>(0)
    /// Replaced ids, in their grace or not.
    let replaced = Atomic<Int>(0)
    /// Sessions that ended by their deadline.
    let expired = Atomic<Int>(0)
    /// Sessions that made room for others.
    let evicted = Atomic<Int>(0)
    /// Sessions and changes for which there was no room.
    let refused = Atomic<Int>(0)
    /// What moves or ends while a snapshot is taken.
    let notes = SnapshotNotes()
    let restored: RestoredIDs
    /// The journal of who is logged in, if there is one.
    let journal: StateJournal?

    init(restored: RestoredIDs = RestoredIDs(), journal: StateJournal? = nil) {
        self.restored = restored
        self.journal = journal
    }

    /// Journals a change, under the lock under which it was made.
    func journal(_ change: MemoryChange.Kind) {
        journal?.append(MemoryChange(change, restored))
    }

    /// Adds bytes unless they would pass `limit`.
    func reserve(bytes count: Int, limit: Int) -> Bool {
        if bytes.add(count, ordering: .relaxed).newValue <= limit { return true }
        bytes.subtract(count, ordering: .relaxed)
        return false
    }

    func release(sessions count: Int, bytes size: Int) {
        if count > 0 { sessions.subtract(count, ordering: .relaxed) }
        if size != 0 { bytes.subtract(size, ordering: .relaxed) }
    }

    /// Takes off a slot that left its shard.
    func release(_ slot: MemorySlot, cost: Int) {
        release(sessions: slot.kind.isSession ? 1 : 0, bytes: cost)
        changed(slot.kind, by: -1)
    }

    /// Counts slots of a kind that come or go; sessions are counted apart.
    func changed(_ kind: MemoryKind, by count: Int) {
        switch kind {
        case .user: users.add(count, ordering: .relaxed)
        case .alias, .retired: replaced.add(count, ordering: .relaxed)
        case .fresh, .anonymous: break
        }
    }

    /// Counts sessions that ended by their deadline.
    func expired(_ count: Int) {
        if count > 0 { expired.add(count, ordering: .relaxed) }
    }

    /// Counts something for which there was no room.
    func refusedOne() {
        refused.add(1, ordering: .relaxed)
    }

    var statistics: SessionStoreStatistics {
        SessionStoreStatistics(
            sessions: sessions.load(ordering: .relaxed), users: users.load(ordering: .relaxed),
            bytes: bytes.load(ordering: .relaxed),
            expired: expired.load(ordering: .relaxed), evicted: evicted.load(ordering: .relaxed),
            refused: refused.load(ordering: .relaxed))
    }
}
