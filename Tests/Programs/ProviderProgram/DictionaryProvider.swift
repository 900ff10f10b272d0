import Foundation
import Sessions

// The article "Write a provider" shows these files from the first line to the last; `ArticleTests` compares the two.

final class DictionaryProvider: UserIndexedProvider, CollectingProvider, @unchecked Sendable {
    struct Stored {
        var values: SessionValues
        var version: UInt64 = 0
        var created: Duration
        var lastSeen: Duration
        var lifetime: SessionLifetime
        var reference: SessionReference?
        /// Set in an id that a rotation replaced.
        var successor: SessionID?

        var deadline: Duration {
            min(lastSeen + lifetime.idleTimeout, created + lifetime.absoluteTimeout)
        }
    }

    private let lock = NSLock()
    private var records: [SessionID: Stored] = [:]
    private let now: @Sendable () -> Duration

    init(now: @escaping @Sendable () -> Duration) {
        self.now = now
    }

    var traits: SessionProviderTraits {
        var traits = SessionProviderTraits()
        traits.isLocalToProcess = true
        traits.remembersRotatedIDs = false
        return traits
    }

    func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        locked { now in
            guard let (_, successor, stored) = find(session.id, at: now) else { return .none }
            return .found(record(stored, at: now, successor: successor))
        }
    }

    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        locked { now in
            if let stored = records[id], stored.deadline > now { return .exists }
            var stored = Stored(
                values: draft.values, created: now, lastSeen: now,
                lifetime: SessionLifetime(
                    idleTimeout: draft.idleTimeout, absoluteTimeout: draft.absoluteTimeout))
            if draft.values.user != nil { stored.reference = .random() }
            records[id] = stored
            return .created()
        }
    }

    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try locked { now in
            guard let (id, successor, stored) = find(session.id, at: now) else { return .gone }
            if let version, version != stored.version {
                return .conflict(record(stored, at: now, successor: successor))
            }
            var changed = stored
            do {
                changed.values = try stored.values.applying(patch, limits: patch.limits)
            } catch let error as SessionError {
                return .overLimit(error)
            }
            if !patch.isEmpty {
                guard !changed.values.isEmpty else {
                    records[id] = nil
                    return .emptied
                }
                changed.version += 1
            }
            if patch.touches { changed.lastSeen = now }
            if let lifetime = patch.lifetime { changed.lifetime = lifetime }
            guard changed.deadline > now else {
                records[id] = nil
                return .gone
            }
            bind(&changed, after: patch)
            records[id] = changed
            return .committed(version: changed.version, values: changed.values, successor: successor)
        }
    }

    func touch(_ session: SessionHandle) throws -> SessionTouch {
        locked { now in
            guard let (id, successor, stored) = find(session.id, at: now) else { return .gone }
            var touched = stored
            touched.lastSeen = now
            records[id] = touched
            return .touched(remaining: touched.deadline - now, successor: successor)
        }
    }

    func destroy(_ session: SessionHandle) throws -> Bool {
        locked { now in
            guard let (id, _, _) = find(session.id, at: now) else { return false }
            records[id] = nil
            return true
        }
    }

    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        locked { now in
            guard let (current, successor, stored) = find(session.id, at: now) else { return .gone }
            if let successor { return .successor(successor) }
            if let taken = records[new], taken.deadline > now { return .taken }
            records[new] = stored
            records[current] = nil
            if grace > .zero {
                records[session.id] = Stored(
                    values: SessionValues(), created: now, lastSeen: now,
                    lifetime: SessionLifetime(idleTimeout: grace, absoluteTimeout: grace), successor: new)
            }
            return .rotated
        }
    }

    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        locked { now in
            let current = id.flatMap { find($0, at: now)?.id }
            let all = newest(of: user, at: now)
            var listed = all.prefix(limit)
            if limit > 0, !listed.contains(where: { $0.key == current }),
                let own = all.first(where: { $0.key == current })
            {
                listed[listed.endIndex - 1] = own
            }
            let sessions = listed.map { id, stored in
                UserSession(
                    reference: stored.reference!, record: record(stored, at: now, successor: nil),
                    isCurrent: id == current)
            }
            return UserSessionList(sessions: sessions, total: all.count)
        }
    }

    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        locked { now in
            guard let id = bound(to: user, at: now).first(where: { $0.value.reference == reference })?.key else {
                return false
            }
            records[id] = nil
            return true
        }
    }

    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        locked { now in
            let spared = id.flatMap { find($0, at: now)?.id }
            guard id == nil || spared.flatMap({ records[$0]?.values.user }) == user else { return 0 }
            let others = newest(of: user, at: now).filter { $0.key != spared }.dropFirst(kept)
            others.forEach { records[$0.key] = nil }
            return others.count
        }
    }

    func collect(limit: Int) throws -> SessionCollection {
        locked { now in
            let expired = records.filter { $0.value.deadline <= now }.prefix(limit)
            expired.forEach { records[$0.key] = nil }
            return SessionCollection(
                removed: expired.count { $0.value.successor == nil },
                hasMore: records.contains { $0.value.deadline <= now })
        }
    }

    func statistics() throws -> SessionStoreStatistics {
        locked { _ in SessionStoreStatistics(sessions: records.values.count { $0.successor == nil }) }
    }

    func close() {}

    // MARK: Under the lock

    private func locked<Result>(_ body: (_ now: Duration) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(now()) }
    }

    /// The live record that `id` leads to, its id, and the same once more as a successor if a rotation replaced `id`.
    private func find(_ id: SessionID, at now: Duration) -> (id: SessionID, successor: SessionID?, stored: Stored)? {
        guard let stored = records[id], stored.deadline > now else { return nil }
        guard let successor = stored.successor else { return (id, nil, stored) }
        guard let (last, _, record) = find(successor, at: now) else { return nil }
        return (last, last, record)
    }

    private func record(_ stored: Stored, at now: Duration, successor: SessionID?) -> SessionRecord {
        SessionRecord(
            values: stored.values, version: stored.version, successor: successor, age: now - stored.created,
            idle: now - stored.lastSeen, idleRemaining: stored.lastSeen + stored.lifetime.idleTimeout - now,
            absoluteRemaining: stored.created + stored.lifetime.absoluteTimeout - now)
    }

    /// A log-in gets a name of its own in the user's list, even if the user was the same before.
    private func bind(_ stored: inout Stored, after patch: SessionPatch) {
        guard patch.changes.contains(where: { $0.key == .user }) else { return }
        stored.reference = stored.values.user == nil ? nil : .random()
    }

    /// The user's sessions, the one last seen first. This searches all records; a store of use has an index.
    private func newest(of user: ByteString, at now: Duration) -> [(key: SessionID, value: Stored)] {
        bound(to: user, at: now).sorted { $0.value.lastSeen > $1.value.lastSeen }
    }

    private func bound(to user: ByteString, at now: Duration) -> [SessionID: Stored] {
        records.filter { $0.value.successor == nil && $0.value.deadline > now && $0.value.values.user == user }
    }
}

extension SessionReference {
    fileprivate static func random() -> SessionReference {
        SessionReference(rawValue: UUID().uuidString)
    }
}
