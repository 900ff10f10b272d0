internal import Dispatch
internal import GalletaPlatform
public import Sessions
internal import Synchronization

/// Sessions in this process's memory: the default provider, under the name `memory`.
///
///     MemoryProvider.register()
///     let sessions = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
///
/// For one process: a second one would know nothing of its sessions. All are gone when the process ends,
/// unless there is a state file (`StateFile`).
///
/// **Caps**: `maximumSessions` and `maximumBytes`. A new session beyond them takes the place of, in this order: expired
/// ones; ids that a rotation replaced (they count by their bytes only); sessions whose id never came back; anonymous
/// ones, the least recently seen first. Of thousands of sessions with different timeouts the one that would end first
/// goes. A session with a user is never evicted for an anonymous one. For a log-in the user who holds most sessions loses
/// the one least recently seen, but nobody the only one; of several who hold equally many, the one who has held so many
/// for the longest time. Beyond that a new session is answered with `SessionCreation.full`, and a change that needs more
/// bytes than there are throws a `SessionStoreError` of the reason `full`; the old data stay.
///
/// Cost: well under a microsecond a call, about 120 bytes a session beside its values' block, 170 more with a user. Lists
/// of a user's sessions cost what they return, whatever the user has.
/// 256 shards, each behind its own lock, which is held for a lookup and a copy of one session's bytes at most.
/// Expired sessions are never seen, and their memory is taken back in the background in small slices.
public final class MemoryProvider: UserIndexedProvider, CollectingProvider, ListingProvider, PersistentProvider,
    StateJournalProvider
{
    let store: MemoryStore
    private let collector: MemoryCollector?
    /// Keeps the state file, if there is one.
    let keeper: StateKeeper?

    /// A store that is empty, or holds what the state file brings.
    ///
    /// - Throws: `ConfigurationError` that names the field; also when another process uses the
    ///   state file and does not let go of it in time.
    public init(configuration: Configuration = Configuration()) throws {
        try configuration.check()
        store = MemoryStore(
            clock: configuration.clock, maximumSessions: configuration.maximumSessions,
            maximumBytes: configuration.maximumBytes, journal: configuration.state?.makeJournal(of: .own))
        let queue = DispatchQueue(label: "galleta.sessions.memory", qos: .utility)
        let store = store
        keeper = try configuration.state.map {
            try StateKeeper(of: store, file: $0, logger: configuration.logger, queue: queue)
        }
        collector = configuration.collectsInBackground ? MemoryCollector(store: store, queue: queue) : nil
    }

    deinit {
        collector?.close()
    }

    /// Everything is kept, for this process only: a second one would know nothing of its sessions.
    public var traits: SessionProviderTraits {
        var traits = SessionProviderTraits()
        traits.isLocalToProcess = true
        return traits
    }

    /// Removes at most `limit` expired sessions; no lock is held for more than 64 of them.
    ///
    /// Looks at a few times `limit` sessions at most: those that were visited since their deadline was last looked at
    /// are in the way, and are put where they belong now.
    public func collect(limit: Int) -> SessionCollection {
        store.collect(limit: limit, looks: limit > .max / 4 ? .max : max(4 * limit, 256), at: store.clock.nanoseconds)
    }

    /// The journal beside the state file, if there is one.
    package var stateJournal: StateJournal? { store.ledger.journal }

    /// The clock of the deadlines.
    package var clock: SessionClock { store.clock }

    /// How many sessions there are; expired ones that were not collected yet count.
    public func count() -> Int {
        store.count
    }

    /// What the store counts, all of it. Cost: some loads and two clock readings, and a lock where there is a journal.
    public func statistics() -> SessionStoreStatistics {
        var statistics = store.ledger.statistics
        if let (lag, slice) = collector?.figures { (statistics.collectionLag, statistics.lastSlice) = (lag, slice) }
        if let (age, duration) = keeper?.figures { (statistics.sinceSaved, statistics.lastSave) = (age, duration) }
        statistics.saveFailures = keeper?.failureCount
        statistics.unsaved = store.ledger.journal?.failureCount
        return statistics
    }

    /// Writes the state file now.
    ///
    /// - Throws: `SessionStoreError` where there is none, or it cannot be written; the log says why.
    public func save() throws -> String {
        try StateFile.report(keeper?.writeNow)
    }

    /// Stops the collection in the background, and writes the state file a last time. Later calls do nothing.
    ///
    /// Blocks until the file is on the disk: about a second for a million sessions.
    public func close() {
        collector?.close()
        keeper?.close()
    }

    /// What the id leads to. Never throws.
    ///
    /// A replaced id is remembered for an hour after the rotation, as long as the session lives and there is room.
    public func lookUp(_ session: SessionHandle) -> SessionFinding {
        if let record = record(of: session.id) { return .found(record) }
        guard let retirement = retirement(of: session.id.words) else { return .none }
        return .retired(retirement)
    }

    /// The session of `id`; nil when there is none. Never throws.
    @inline(__always)
    private func record(of id: SessionID) -> SessionRecord? {
        let now = store.clock.nanoseconds
        return following(id.words) { shard, key in
            switch shard.find(key, at: now) {
            case .none: .missing(nil)
            case .alias(let successor): .alias(successor)
            case .slot(_, let slot): .done(slot.pointee.record(at: now))
            }
        } reached: { record, successor in
            record?.successor = SessionID(words: successor)
        }
    }

    /// Begins a session under `id`. At a cap others make room for it, see `MemoryProvider`. Never throws.
    ///
    /// A foreign id, which its form of ids never draws, is refused as if it were in use.
    public func create(_ id: SessionID, _ draft: SessionDraft) -> SessionCreation {
        guard !id.isForeign else { return .exists }
        let now = store.clock.nanoseconds
        let user = draft.values.user
        return store.insert(MemorySlot(id: id.words, draft: draft, at: now, isOfUser: user != nil), user: user, at: now)
    }

    /// Sets "last seen" to now. Never throws. Cost: a lookup and one write, for a session with a user one lookup more.
    public func touch(_ session: SessionHandle) -> SessionTouch {
        let now = store.clock.nanoseconds
        return following(session.id.words) { shard, key in
            switch shard.find(key, at: now) {
            case .none: return .missing(.gone)
            case .alias(let successor): return .alias(successor)
            case .slot(_, let slot):
                shard.noteVisit(slot, at: now)
                return .done(
                    .touched(remaining: .nanoseconds(slot.pointee.deadline.subtractingSaturated(now))))
            }
        } reached: { outcome, successor in
            guard case .touched(let remaining, _) = outcome else { return }
            outcome = .touched(remaining: remaining, successor: SessionID(words: successor))
        }
    }

    /// Some of the live sessions, at least `limit` unless it is the last page, and up to 64 more. Never throws.
    ///
    /// A shard's lock is held for copies of 64 places. A session whose id changes meanwhile may be missing, or twice there.
    public func sessions(from position: SessionListPosition?, limit: Int) -> SessionListPage {
        let now = store.clock.nanoseconds
        var shard = Int((position?.rawValue ?? 0) >> 32)
        // Downwards: places only ever move to lower numbers, so none is missed. Zero: the shard's last one is yet to be asked.
        var chunk = Int(truncatingIfNeeded: (position?.rawValue ?? 0) & 0xFFFF_FFFF)
        var page = SessionListPage()
        while shard < MemoryStore.shardCount, page.sessions.count < max(1, limit) {
            if chunk == 0 { chunk = store.shards[shard].withLock { $0.pool.chunkTotal } }
            if chunk > 0 {
                chunk -= 1
                let asked = chunk
                page.sessions += store.shards[shard].withLock { shard in
                    var found: [SessionRecord] = []
                    shard.pool.forEach(inChunk: asked) { slot in
                        if slot.kind.isSession, slot.deadline > now { found.append(slot.record(at: now)) }
                    }
                    return found
                }
            }
            if chunk == 0 { shard += 1 }
        }
        if shard < MemoryStore.shardCount {
            page.next = SessionListPosition(rawValue: UInt64(shard) << 32 | UInt64(chunk))
        }
        return page
    }
}
