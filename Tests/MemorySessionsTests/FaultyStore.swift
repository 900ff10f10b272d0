import GalletaPlatform
import MemorySessions
import Sessions

/// The memory provider with one fault in what it stores, as stores have that encode, index or sweep wrongly.
final class FaultyStore: UserIndexedProvider, CollectingProvider {
    enum Fault: String, CaseIterable, Sendable {
        case none
        case mixesSessionsUp
        case keepsTheFirstKey
        case dropsNull
        case cutsTextAtNUL
        case keepsNumbersAsDoubles
        case takesReservedKeysForOthers
        case expiredIDsStayInUse
        case refusesTheRightVersion
        case touchChangesTheVersion
        case takesAnyIDForReplaced
        case listsEveryUser
        case keysAreNormalized
        case keysAreUTF8
        case keysWithinValuesAreUTF8
        case usersAreLowercased
        case usersAreNormalized
        case usersAreUTF8
        case takesAnyReference
        case collectStopsAtTheLiving
        case evictsTheLivingFirst
        case takesAnOutageForNoSession
    }

    private struct Known {
        var first: SessionID?
        var last: SessionID?
        var ids: Set<SessionID> = []
        var users: Set<ByteString> = []
    }

    private let base: MemoryProvider
    private let fault: Fault
    private let known = Locked(Known())
    private let isDown = Locked(false)

    init(_ base: MemoryProvider, _ fault: Fault) {
        self.base = base
        self.fault = fault
    }

    func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        if let record = try found(session.id) { return .found(record) }
        if fault == .takesAnyIDForReplaced { return .retired(SessionRetirement(age: .zero, successor: nil)) }
        return base.retirement(of: session.id).map { .retired($0) } ?? .none
    }

    private func found(_ id: SessionID) throws -> SessionRecord? {
        if fault == .takesAnOutageForNoSession, isDown.withLock({ $0 }) { return nil }
        try beUp()
        var record = base.read(id)
        if fault == .mixesSessionsUp, record != nil, let last = known.withLock({ $0.last }) {
            record = base.read(last) ?? record
        }
        return record
    }

    private func beUp() throws {
        if isDown.withLock({ $0 }) { throw SessionStoreError(.unavailable, "stopped by a test") }
    }

    /// Stops the store, or starts it again.
    func setDown(_ isDown: Bool) {
        self.isDown.withLock { $0 = isDown }
    }

    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        var draft = draft
        draft.values = try SessionValues(stored(draft.values.entryKeys.map { ($0, draft.values[$0] ?? .null) }))
        let (isKnown, first) = known.withLock { known in
            if let user = draft.values.user { known.users.insert(user) }
            if known.first == nil { known.first = id }
            known.last = id
            return (!known.ids.insert(id).inserted, known.first)
        }
        switch fault {
        case .expiredIDsStayInUse where isKnown: return .exists
        case .evictsTheLivingFirst where base.count() >= 16: if let first { _ = base.destroy(first) }
        default: break
        }
        return base.create(id, draft)
    }

    /// The entries as a faulty encoding keeps them.
    private func stored(_ entries: [(SessionKey, SessionValue)]) -> [(SessionKey, SessionValue)] {
        switch fault {
        case .keepsTheFirstKey: Array(entries.prefix(1))
        case .dropsNull: entries.filter { $0.1 != .null }
        case .cutsTextAtNUL:
            entries.map { (SessionKey(ByteString(Self.cut($0.0.name.string)), isReserved: $0.0.isReserved), $0.1) }
        case .keepsNumbersAsDoubles:
            entries.map { entry in
                guard case .int(let number) = entry.1 else { return entry }
                return (entry.0, .int(Int64(exactly: Double(number)) ?? 0))
            }
        case .takesReservedKeysForOthers: entries.map { (SessionKey($0.0.name), $0.1) }
        case .keysAreNormalized:
            // Swift's own comparison of text is what many languages have as a setting of their database.
            Array(Dictionary(entries.map { ($0.0.name.string, $0) }) { first, _ in first }.values)
        case .keysAreUTF8:
            entries.map { (SessionKey(ByteString($0.0.name.string), isReserved: $0.0.isReserved), $0.1) }
        case .keysWithinValuesAreUTF8:
            entries.map { entry in
                guard case .object(let members) = entry.1 else { return entry }
                return (entry.0, .object(SessionObject(members.map { (ByteString($0.key.string), $0.value) })))
            }
        case .usersAreUTF8:
            entries.map { entry in
                guard entry.0 == .user, let user = entry.1.name else { return entry }
                return (entry.0, .string(user.string))
            }
        case .usersAreLowercased:
            entries.map { entry in
                guard entry.0 == .user, case .string(let user) = entry.1 else { return entry }
                return (entry.0, .string(user.lowercased()))
            }
        default: entries
        }
    }

    private static func cut(_ text: String) -> String {
        String(text.prefix { $0 != "\0" })
    }

    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        let id = session.id
        try beUp()
        if let user = patch.changes.first(where: { $0.key == .user })?.value?.name {
            known.withLock { _ = $0.users.insert(user) }
        }
        return try base.commit(
            patch, to: id, expecting: fault == .refusesTheRightVersion ? version.map { $0 &+ 1 } : version)
    }

    func touch(_ session: SessionHandle) throws -> SessionTouch {
        let id = session.id
        try beUp()
        if fault == .touchChangesTheVersion {
            var patch = SessionPatch()
            try patch.set(true, for: SessionKey("touched"))
            _ = try base.commit(patch, to: id, expecting: nil)
        }
        return base.touch(id)
    }

    func destroy(_ session: SessionHandle) throws -> Bool {
        let id = session.id
        try beUp()
        return base.destroy(id)
    }

    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) -> SessionRotation {
        let id = session.id
        return base.rotate(id, to: new, grace: grace)
    }

    func sessions(of user: ByteString, current id: SessionID?, limit: Int) -> UserSessionList {
        switch fault {
        case .listsEveryUser:
            let all = known.withLock { $0.users }.flatMap { base.sessions(of: $0, current: id, limit: limit).sessions }
            return UserSessionList(sessions: all, total: all.count)
        case .usersAreLowercased:
            return base.sessions(of: ByteString(user.string.lowercased()), current: id, limit: limit)
        case .usersAreNormalized:
            let all = known.withLock { $0.users }
                .filter { $0 == user || $0.validString == user.validString && user.validString != nil }
                .flatMap { base.sessions(of: $0, current: id, limit: limit).sessions }
            return UserSessionList(sessions: all, total: all.count)
        default: return base.sessions(of: user, current: id, limit: limit)
        }
    }

    func destroy(_ reference: SessionReference, of user: ByteString) -> Bool {
        guard fault == .takesAnyReference else { return base.destroy(reference, of: user) }
        return base.sessions(of: user, current: nil, limit: .max).sessions.contains {
            base.destroy($0.reference, of: user)
        }
    }

    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) -> Int {
        base.destroySessions(of: user, except: id, keeping: kept)
    }

    func collect(limit: Int) -> SessionCollection {
        if fault == .collectStopsAtTheLiving, let first = known.withLock({ $0.first }), base.read(first) != nil {
            return SessionCollection(removed: 0, hasMore: false)
        }
        return base.collect(limit: limit)
    }

    func statistics() -> SessionStoreStatistics { base.statistics() }

    func close() { base.close() }
}
