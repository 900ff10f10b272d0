internal import GalletaPlatform
public import Sessions

/// Sessions in this process's memory: the default provider, under the name `memory`.
///
///     MemoryProvider.register()
///     let sessions = try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600))
///
/// For one process: a second one would know nothing of its sessions. All are gone when the process ends.
///
/// Cost: well under a microsecond a call, about 120 bytes a session beside its values' block. 256 shards, each behind
/// its own lock, which is held for a lookup and a copy of one session's bytes at most.
/// Expired sessions are never seen, and their memory is taken back in the background in small slices.
public final class MemoryProvider: SessionProvider {
    /// How the provider behaves.
    public struct Configuration: Sendable {
        /// The most sessions at once; a new one beyond is refused with `SessionCreation.full`. Default: 100,000.
        public var maximumSessions = 100_000
        /// The clock of the deadlines. Default: the time since boot.
        public var clock = SessionClock.boot
        /// Whether expired sessions are collected in the background. Default: true; tests collect by hand.
        public var collectsInBackground = true

        /// The defaults.
        public init() {}
    }

    let store: MemoryStore
    private let collector: MemoryCollector?

    /// An empty store.
    ///
    /// - Throws: `SessionError` of code `invalidConfiguration` that names the field.
    public init(configuration: Configuration = Configuration()) throws {
        guard configuration.maximumSessions >= 1, configuration.maximumSessions <= 100_000_000 else {
            throw SessionError.invalid(
                "maximumSessions", "\(configuration.maximumSessions) is not within 1 and 100,000,000")
        }
        store = MemoryStore(clock: configuration.clock, maximumSessions: configuration.maximumSessions)
        collector = configuration.collectsInBackground ? MemoryCollector(store: store) : nil
    }

    deinit {
        collector?.close()
    }

    /// True: a second process would know nothing of this one's sessions.
    public var isLocalToProcess: Bool { true }

    /// Makes the provider known as `memory`; its one parameter is `maximumSessions`.
    public static func register() {
        SessionProviders.register("memory") { options in
            var configuration = Configuration()
            for (name, value) in options.parameters {
                guard name == "maximumSessions" else {
                    throw SessionError.invalid(name, "the memory provider knows only the parameter maximumSessions")
                }
                guard let number = Int(value) else {
                    throw SessionError.invalid(name, "\"\(value)\" is not a whole number")
                }
                configuration.maximumSessions = number
            }
            return try MemoryProvider(configuration: configuration)
        }
    }

    /// Removes at most `limit` expired sessions; no lock is held for more than 64 of them.
    ///
    /// Looks at a few times `limit` sessions at most: those that were visited since their deadline was last looked at
    /// are in the way, and are put where they belong now.
    public func collect(limit: Int) -> SessionCollection {
        store.collect(limit: limit, looks: limit > .max / 4 ? .max : max(4 * limit, 256), at: store.clock.nanoseconds)
    }

    /// How many sessions there are; expired ones that were not collected yet count.
    public func count() -> Int {
        store.count
    }

    /// Stops the collection in the background.
    public func close() {
        collector?.close()
    }

    /// The session of `id`; nil when there is none. Never throws.
    public func read(_ id: SessionID) -> SessionRecord? {
        let now = store.clock.nanoseconds
        return following(id) { shard, id in
            switch shard.find(id, at: now) {
            case .none: .done(nil)
            case .alias(let successor): .alias(successor)
            case .slot(_, let slot): .done(slot.pointee.record(at: now))
            }
        } reached: { record, successor in
            record?.successor = successor
        }
    }

    /// Begins a session under `id`. At the cap, expired sessions make room first. Never throws.
    public func create(_ id: SessionID, _ draft: SessionDraft) -> SessionCreation {
        let now = store.clock.nanoseconds
        guard store.reserve(at: now) else { return .full }
        let slot = MemorySlot(
            id: id, values: draft.values, created: now, lastSeen: now, idleTimeout: draft.idleTimeout.nanoseconds,
            absoluteDeadline: now.addingSaturated(draft.absoluteTimeout.nanoseconds))
        var expired: MemorySlot?
        let isInserted = store.shard(id).withLock { shard in
            guard !shard.isTaken(id, at: now, expired: &expired) else { return false }
            shard.insert(slot)
            return true
        }
        store.released(expired)
        guard isInserted else {
            store.released(1)
            return .exists
        }
        return .created
    }

    /// Makes the patch's changes on the record as it is now. Never throws.
    public func commit(
        _ patch: SessionPatch, to id: SessionID, expecting version: UInt64?
    ) -> SessionCommitOutcome {
        let now = store.clock.nanoseconds
        // Values that the commit replaces; released when this method returns, after the lock.
        var garbage = SessionValues()
        defer { withExtendedLifetime(garbage) {} }
        return following(id) { shard, id in
            switch shard.find(id, at: now) {
            case .none: return .done(.gone)
            case .alias(let successor): return .alias(successor)
            case .slot(let number, let slot):
                if let version, version != UInt64(slot.pointee.version) {
                    return .done(.conflict(slot.pointee.record(at: now)))
                }
                let merged: SessionValues
                do throws(SessionError) {
                    merged = try slot.pointee.values.applying(patch, limits: patch.limits)
                } catch {
                    return .done(.overLimit(error))
                }
                garbage = slot.pointee.values
                guard patch.isEmpty || !merged.isEmpty else {
                    _ = shard.remove(number)
                    store.released(1)
                    return .done(.emptied)
                }
                if patch.touches { slot.pointee.lastSeen = now }
                if !patch.isEmpty {
                    slot.pointee.values = merged
                    slot.pointee.version &+= 1
                }
                return .done(.committed(version: UInt64(slot.pointee.version), values: merged))
            }
        } reached: { outcome, successor in
            switch outcome {
            case .committed(let version, let values, _):
                outcome = .committed(version: version, values: values, successor: successor)
            case .conflict(var record):
                record.successor = successor
                outcome = .conflict(record)
            case .emptied, .gone, .overLimit:
                break
            }
        }
    }

    /// Sets "last seen" to now. Never throws. Cost: a lookup and one write.
    public func touch(_ id: SessionID) -> SessionTouch {
        let now = store.clock.nanoseconds
        return following(id) { shard, id in
            switch shard.find(id, at: now) {
            case .none: return .done(.gone)
            case .alias(let successor): return .alias(successor)
            case .slot(_, let slot):
                slot.pointee.lastSeen = now
                return .done(.touched(remaining: .nanoseconds(slot.pointee.deadline - now)))
            }
        } reached: { outcome, successor in
            guard case .touched(let remaining, _) = outcome else { return }
            outcome = .touched(remaining: remaining, successor: successor)
        }
    }
}

extension Int64 {
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
