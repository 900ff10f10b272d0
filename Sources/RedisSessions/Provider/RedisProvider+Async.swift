public import Sessions

extension RedisProvider: AsyncSessionProvider {
    /// True while a call to Redis is under way.
    public var isBusy: Bool { store.isBusy }

    /// What each id leads to; what is asked for at the same time goes to Redis in one round trip.
    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        guard !candidates.isEmpty else { return [] }
        return try await store.call().awaitOutcome(lookUp(of: candidates))
    }

    /// Begins a session. At its `maxmemory` Redis refuses it: `.full`.
    public func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation {
        let operation = RedisCreate(id, draft, store)
        do throws(SessionStoreError) {
            return try await store.call().awaitOutcome(operation)
        } catch {
            guard error.reason == .full else { throw error }
            return .full
        }
    }

    /// Makes the patch's changes; values come back only where others have changed some.
    public func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome {
        let operation = RedisCommit(patch, to: session, expecting: version, store)
        return try await store.call().awaitOutcome(operation)
    }

    /// Sets "last seen" to now.
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch {
        try await store.call().awaitOutcome(RedisTouch(session, store))
    }
}
