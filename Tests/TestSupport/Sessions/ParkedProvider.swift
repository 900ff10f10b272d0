import GalletaPlatform
public import Sessions

/// A provider over another whose calls can be awaited; it notes which are made, and holds or fails them when told to.
public final class ParkedProvider: AsyncSessionProvider, UserIndexedProvider {
    public struct Down: Error {}

    /// Counts itself.
    private final class Lease: Sendable {
        private let count: Locked<Int>

        init(_ count: Locked<Int>) {
            self.count = count
            count.withLock { $0 += 1 }
        }

        deinit {
            count.withLock { $0 -= 1 }
        }
    }

    private struct State {
        var calls: [String] = []
        var isHeld = false
        var holdsOutcomes = false
        var isBusy = true
        var isDown = false
        var grantsLeases = false
        var isTaken = false
        var isLocked = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let base: any UserIndexedProvider
    private let state = Locked(State())
    private let leases = Locked(0)

    public init(_ base: any UserIndexedProvider) {
        self.base = base
    }

    /// The calls since the last look: `look up`, `commit`, `create`, `touch` and others, with `await` before those awaited, and `to
    /// change` behind look-ups of requests that may.
    public func takeCalls() -> [String] {
        state.withLock { state in
            defer { state.calls = [] }
            return state.calls
        }
    }

    /// How many awaited calls are held.
    public var heldCount: Int { state.withLock { $0.waiting.count } }

    /// Lets awaited calls wait, before they do anything, until ``release()``.
    public func hold() { state.withLock { $0.isHeld = true } }

    /// Lets what came of awaited commits wait until ``release()``: they are made.
    public func holdOutcomes() { state.withLock { $0.holdsOutcomes = true } }

    public func release() {
        let waiting = state.withLock { state in
            (state.isHeld, state.holdsOutcomes) = (false, false)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Whether all calls fail.
    public func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    /// Whether others have all sessions for a while: who waits for them gets them.
    public func setTaken(_ isTaken: Bool) { state.withLock { $0.isTaken = isTaken } }

    /// Whether others may have a session for long; before a manager is made.
    public func setLocked(_ isLocked: Bool) { state.withLock { $0.isLocked = isLocked } }

    /// Lets what awaited look-ups find hold a lease.
    public func grantLeases() { state.withLock { $0.grantsLeases = true } }

    /// How many leases are held.
    public var leaseCount: Int { leases.withLock { $0 } }

    public func setBusy(_ isBusy: Bool) { state.withLock { $0.isBusy = isBusy } }

    public var isBusy: Bool { state.withLock { $0.isBusy } }

    public var traits: SessionProviderTraits {
        var traits = base.traits
        traits.isLockedByOthers = state.withLock { $0.isLocked }
        return traits
    }

    private static func lookUp(_ candidates: SessionIDCandidates) -> String {
        if !candidates.mayWait { return "look up at once" }
        return candidates.mayChangeSession ? "look up to change" : "look up"
    }

    private func note(_ call: String) throws {
        let isDown = state.withLock { state in
            state.calls.append(call)
            return state.isDown
        }
        if isDown { throw Down() }
    }

    private func awaited(_ call: String) async throws {
        await wait { $0.isHeld }
        try note("await " + call)
    }

    private func wait(while isHeld: @Sendable (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                let goesOn = !isHeld(state)
                if !goesOn { state.waiting.append(continuation) }
                return goesOn
            }
            if goesOn { continuation.resume() }
        }
    }

    // MARK: Awaited

    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        try await awaited(Self.lookUp(candidates))
        candidates.end?.whenItComes { [self] in state.withLock { $0.calls.append("cut") } }
        let findings = try base.lookUp(candidates)
        guard state.withLock({ $0.grantsLeases }) else { return findings }
        return findings.map { finding in
            guard case .found(var record) = finding else { return finding }
            record.lease = Lease(leases)
            return .found(record)
        }
    }
    public func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation {
        try await awaited("create")
        return try base.create(id, draft)
    }
    public func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome {
        try await awaited("commit")
        let outcome = try base.commit(patch, to: session, expecting: version)
        await wait { $0.holdsOutcomes }
        return outcome
    }
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch {
        try await awaited("touch")
        return try base.touch(session)
    }

    // MARK: Synchronous

    public func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try note("look up")
        return try base.lookUp(session)
    }
    public func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        try note(Self.lookUp(candidates))
        if !candidates.mayWait, state.withLock({ $0.isTaken }) { throw SessionStoreError(.busy, "others have it") }
        return try base.lookUp(candidates)
    }
    public func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        try note("create")
        return try base.create(id, draft)
    }
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try note("commit")
        return try base.commit(patch, to: session, expecting: version)
    }
    public func touch(_ session: SessionHandle) throws -> SessionTouch {
        try note("touch")
        return try base.touch(session)
    }
    public func destroy(_ session: SessionHandle) throws -> Bool {
        try note("destroy")
        return try base.destroy(session)
    }
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try note("rotate")
        return try base.rotate(session, to: new, grace: grace)
    }
    public func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        try note("sessions")
        return try base.sessions(of: user, current: id, limit: limit)
    }
    public func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        try note("destroy")
        return try base.destroy(reference, of: user)
    }
    public func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        try note("destroy sessions")
        return try base.destroySessions(of: user, except: id, keeping: kept)
    }
    public func close() { base.close() }
}
