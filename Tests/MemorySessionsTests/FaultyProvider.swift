import GalletaPlatform
import MemorySessions
import Sessions
import SessionsTesting

/// The memory provider with one fault, as other libraries have had them.
final class FaultyProvider: UserIndexedProvider, CollectingProvider, ListingProvider {
    enum Fault: String, CaseIterable, Sendable {
        case none
        case adoptsUnknownIDs
        case createOverwrites
        case readTouches
        case commitRevives
        case commitUpsertsTheWhole
        case commitIgnoresVersions
        case commitKeepsTheVersion
        case commitAlwaysTouches
        case commitIgnoresLimits
        case commitForgetsRemovals
        case commitIgnoresLifetimes
        case commitKeepsEmptied
        case touchPassesTheAbsoluteTimeout
        case touchDropsValues
        case touchNeverFails
        case expiryIsInclusive
        case destroyLies
        case destroyMissesOldIDs
        case rotateLeavesTheOldID
        case rotateIgnoresGrace
        case rotateTwice
        case rotateTakesUsedIDs
        case outcomesHideTheSuccessor
        case listForgetsLogIns
        case listIsUnsorted
        case listMarksNobody
        case listShowsIDs
        case listIgnoresItsLimit
        case listCountsWhatItShows
        case listCutsTheExpiredTooLate
        case listCutsTheCaller
        case revokeIgnoresTheUser
        case revokeAllSparesNobody
        case revokeAllCountsWrong
        case revokeKeepsTheOldest
        case revokeKeepsTheExpired
        case collectIgnoresItsLimit
        case collectTakesTheLiving
        case neverFull
        case evictsUsers
        case refusesLogIns
        case evictsTheOldestOfAll
        case evictsTheOnlySession
        case countsOldIDs
        case countsAllAsUsers
        case forgetsReplacedIDs
        case answersOutOfOrder
        case listOfAllEndsEarly
    }

    private let base: MemoryProvider
    private let fault: Fault
    private let rotated = Locked<[SessionID: SessionID]>([:])
    private let living = Locked<[SessionID]>([])
    private let drafts = Locked<[SessionID: ByteString]>([:])
    private let longDraft = Locked<[SessionID: SessionDraft]>([:])

    init(_ base: MemoryProvider, _ fault: Fault) {
        self.base = base
        self.fault = fault
    }

    func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        if let record = try found(session.id) { return .found(record) }
        guard fault != .forgetsReplacedIDs, let retirement = base.retirement(of: session.id) else { return .none }
        return .retired(retirement)
    }

    func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        let positions = 0..<candidates.count
        return try (fault == .answersOutOfOrder ? Array(positions.reversed()) : Array(positions)).map {
            try lookUp(SessionHandle(candidates[$0]))
        }
    }

    private func found(_ id: SessionID) throws -> SessionRecord? {
        switch fault {
        case .adoptsUnknownIDs:
            if base.read(id) == nil {
                _ = base.create(
                    id, SessionDraft(values: SessionValues(), idleTimeout: .seconds(9), absoluteTimeout: .seconds(9)))
            }
        case .readTouches:
            _ = base.touch(id)
        case .rotateLeavesTheOldID:
            if let new = rotated.withLock({ $0[id] }) { return base.read(new) }
        case .expiryIsInclusive:
            // One nanosecond too long.
            if let record = base.read(id) { return record }
            return longDraft.withLock { $0[id] }.map {
                SessionRecord(
                    values: $0.values, version: 0, age: .zero, idle: .zero, idleRemaining: .nanoseconds(1),
                    absoluteRemaining: .nanoseconds(1))
            }
        default:
            break
        }
        var record = base.read(id)
        if fault == .outcomesHideTheSuccessor { record?.successor = nil }
        return record
    }

    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        if let user = draft.values.user { drafts.withLock { $0[id] = user } }
        switch fault {
        case .createOverwrites: _ = base.destroy(id)
        case .touchPassesTheAbsoluteTimeout, .expiryIsInclusive: longDraft.withLock { $0[id] = draft }
        case .collectTakesTheLiving, .listShowsIDs: living.withLock { $0.append(id) }
        case .evictsUsers:
            living.withLock { $0.append(id) }
            guard case .full = base.create(id, draft) else { return .created() }
            _ = base.destroy(living.withLock { $0.removeFirst() })
            return base.create(id, draft)
        case .refusesLogIns:
            if draft.values.user != nil, base.count() >= 16 { return .full }
        case .evictsTheOldestOfAll, .evictsTheOnlySession:
            living.withLock { $0.append(id) }
            guard draft.values.user != nil, base.count() >= 16 else { break }
            if fault == .evictsTheOnlySession, case .created = base.create(id, draft) { return .created() }
            _ = base.destroy(living.withLock { $0.removeFirst() })
        case .neverFull:
            return base.create(id, draft).asCreated
        default: break
        }
        return base.create(id, draft)
    }

    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        let id = session.id
        var patch = patch
        switch fault {
        case .commitRevives:
            if base.read(id) == nil {
                let values = try SessionValues(
                    patch.changes.compactMap { change in change.value.map { (change.key, $0) } })
                _ = base.create(
                    id, SessionDraft(values: values, idleTimeout: .seconds(60), absoluteTimeout: .seconds(60)))
            }
        case .commitUpsertsTheWhole:
            for key in base.read(id)?.values.entryKeys ?? [] where !patch.changes.contains(where: { $0.key == key }) {
                patch.remove(key)
            }
        case .commitIgnoresVersions:
            return try outcome(base.commit(patch, to: id, expecting: nil))
        case .commitAlwaysTouches: patch.touches = true
        case .commitIgnoresLimits: patch.limits = SessionLimits(bytes: 1 << 30, keys: 1 << 20)
        case .commitIgnoresLifetimes: patch.lifetime = nil
        case .commitForgetsRemovals:
            var kept = SessionPatch()
            kept.touches = patch.touches
            kept.limits = patch.limits
            kept.lifetime = patch.lifetime
            for change in patch.changes { if let value = change.value { try kept.set(value, for: change.key) } }
            patch = kept
        case .commitKeepsEmptied:
            let record = base.read(id)
            let outcome = try base.commit(patch, to: id, expecting: version)
            if case .emptied = outcome, record != nil {
                _ = base.create(
                    id, SessionDraft(values: SessionValues(), idleTimeout: .seconds(60), absoluteTimeout: .seconds(60)))
            }
            return outcome
        case .commitKeepsTheVersion:
            guard case .committed(_, let values, let successor) = try base.commit(patch, to: id, expecting: nil) else {
                return .gone
            }
            return .committed(version: 0, values: values, successor: successor)
        default: break
        }
        return try outcome(base.commit(patch, to: id, expecting: version))
    }

    private func outcome(_ outcome: SessionCommitOutcome) -> SessionCommitOutcome {
        guard fault == .outcomesHideTheSuccessor else { return outcome }
        switch outcome {
        case .committed(let version, let values, _): return .committed(version: version, values: values)
        case .conflict(var record):
            record.successor = nil
            return .conflict(record)
        default: return outcome
        }
    }

    func touch(_ session: SessionHandle) throws -> SessionTouch {
        let id = session.id
        switch fault {
        case .touchNeverFails:
            let outcome = base.touch(id)
            return outcome == .gone ? .touched(remaining: .seconds(1)) : outcome
        case .touchDropsValues:
            if let values = base.read(id)?.values, values.count > 1, let last = values.keys.last {
                var patch = SessionPatch()
                patch.remove(SessionKey(last))
                _ = try base.commit(patch, to: id, expecting: nil)
            }
            return base.touch(id)
        case .touchPassesTheAbsoluteTimeout:
            if let record = base.read(id) {
                var patch = SessionPatch()
                patch.touches = true
                let idle = record.idle + record.idleRemaining
                patch.lifetime = SessionLifetime(idleTimeout: idle, absoluteTimeout: record.age + idle)
                _ = try base.commit(patch, to: id, expecting: nil)
            }
            return base.touch(id)
        case .outcomesHideTheSuccessor:
            guard case .touched(let remaining, _) = base.touch(id) else { return .gone }
            return .touched(remaining: remaining)
        default: return base.touch(id)
        }
    }

    func destroy(_ session: SessionHandle) throws -> Bool {
        let id = session.id
        switch fault {
        case .destroyLies:
            _ = base.destroy(id)
            return true
        case .destroyMissesOldIDs:
            return base.read(id)?.successor == nil ? base.destroy(id) : false
        default: return base.destroy(id)
        }
    }

    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        let id = session.id
        switch fault {
        case .rotateLeavesTheOldID:
            let outcome = base.rotate(id, to: new, grace: .zero)
            if case .rotated = outcome { rotated.withLock { $0[id] = new } }
            return outcome
        case .rotateIgnoresGrace: return base.rotate(id, to: new, grace: .zero)
        case .rotateTwice:
            if let successor = base.read(id)?.successor { return base.rotate(successor, to: new, grace: grace) }
            return base.rotate(id, to: new, grace: grace)
        case .rotateTakesUsedIDs:
            if base.read(id) != nil { _ = base.destroy(new) }
            return base.rotate(id, to: new, grace: grace)
        default: return base.rotate(id, to: new, grace: grace)
        }
    }

    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        var list = base.sessions(of: user, current: id, limit: limit)
        switch fault {
        case .listIgnoresItsLimit: return base.sessions(of: user, current: id, limit: .max)
        case .listCountsWhatItShows: list.total = list.sessions.count
        case .listCutsTheExpiredTooLate:
            // As one who cuts first and leaves out the expired then.
            list.sessions.removeFirst(min(list.sessions.count, expired(of: user)))
        case .listCutsTheCaller:
            guard id != nil, list.more > 0 else { return list }
            let others = base.sessions(of: user, current: nil, limit: limit).sessions
            let own = list.sessions.first(where: \.isCurrent)?.reference
            list.sessions = others.map {
                UserSession(reference: $0.reference, record: $0.record, isCurrent: $0.reference == own)
            }
        default: list.sessions = sessions(list.sessions)
        }
        return list
    }

    private func sessions(_ list: [UserSession]) -> [UserSession] {
        switch fault {
        case .listForgetsLogIns: return list.filter { $0.record.version == 0 }
        case .listIsUnsorted: return list.reversed()
        case .listMarksNobody:
            return list.map { UserSession(reference: $0.reference, record: $0.record, isCurrent: false) }
        case .listShowsIDs:
            let ids = living.withLock { $0 }
            return list.map { session in
                UserSession(
                    reference: SessionReference(rawValue: ids.first?.encoded ?? session.reference.rawValue),
                    record: session.record, isCurrent: session.isCurrent)
            }
        default: return list
        }
    }

    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        guard fault == .revokeIgnoresTheUser else { return base.destroy(reference, of: user) }
        return base.destroy(reference, of: "ada") || base.destroy(reference, of: user)
    }

    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        switch fault {
        case .revokeAllSparesNobody: return base.destroySessions(of: user, except: nil, keeping: kept)
        case .revokeAllCountsWrong: return base.destroySessions(of: user, except: id, keeping: kept) + 1
        case .revokeKeepsTheOldest where kept > 0:
            let others = base.sessions(of: user, current: id, limit: .max).sessions.filter { !$0.isCurrent }
            return others.dropLast(kept).count { base.destroy($0.reference, of: user) }
        case .revokeKeepsTheExpired where kept > 0:
            return base.destroySessions(of: user, except: id, keeping: max(0, kept - expired(of: user)))
        default: return base.destroySessions(of: user, except: id, keeping: kept)
        }
    }

    /// How many of the user's sessions the provider has seen begin and expire.
    private func expired(of user: ByteString) -> Int {
        drafts.withLock { $0.count { $0.value == user && base.read($0.key) == nil } }
    }

    func collect(limit: Int) throws -> SessionCollection {
        switch fault {
        case .collectIgnoresItsLimit: return base.collect(limit: .max)
        case .collectTakesTheLiving:
            let victim = living.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if let victim { _ = base.destroy(victim) }
            return base.collect(limit: limit)
        default: return base.collect(limit: limit)
        }
    }

    func statistics() throws -> SessionStoreStatistics {
        SessionStoreStatistics(
            sessions: fault == .countsOldIDs ? base.count() + 1 : base.count(),
            users: fault == .countsAllAsUsers ? base.count() : base.statistics().users)
    }

    func sessions(from position: SessionListPosition?, limit: Int) throws -> SessionListPage {
        var page = base.sessions(from: position, limit: limit)
        if fault == .listOfAllEndsEarly { page.next = nil }
        return page
    }

    func close() { base.close() }
}

extension SessionCreation {
    /// Says "created" where there was no room.
    fileprivate var asCreated: SessionCreation {
        if case .full = self { .created() } else { self }
    }
}
