public import struct GalletaPlatform.ByteString

// The state's lock is never held while a call is awaited. What others do to the session meanwhile, child tasks of its request
// that have not ended, counts as done before it or after.
extension Session {
    /// Asks the store for the session now, for whoever uses it first. Does nothing where the provider cannot be awaited.
    ///
    /// What fails here fails at that first use: a request that never uses its session has no need of the store.
    package func prefetch() async {
        guard let provider = manager.asyncProvider, let candidates = candidatesToLookUp else { return }
        let findings: Result<[SessionFinding], any Error>
        do {
            findings = .success(try await timed { try await provider.lookUpAsync(candidates) })
        } catch {
            findings = .failure(error)
        }
        withState { state in
            if state.phase == .unread, !state.isCommitted { state.prefetched = findings }
        }
    }

    /// Awaits a call, and has the time of it taken.
    private func timed<Result: Sendable>(_ body: @Sendable () async throws -> Result) async rethrows -> Result {
        guard let stopwatch else { return try await body() }
        let begin = stopwatch.start()
        defer { stopwatch.stop(begin) }
        return try await body()
    }

    /// Calls a provider that can be awaited; see `SessionManager.store`.
    private func awaiting<Result: Sendable>(
        _ provider: any AsyncSessionProvider,
        _ body: @Sendable (any AsyncSessionProvider) async throws -> Result
    ) async throws -> Result {
        try await timed { try await manager.awaiting(provider, body) }
    }

    private var candidatesToLookUp: SessionIDCandidates? {
        withState { state in
            let isDue = state.phase == .unread && state.prefetched == nil && !state.candidates.isEmpty
            return isDue ? state.candidates : nil
        }
    }

    /// Whether the session was asked for, whatever came of it.
    package var isUsed: Bool {
        var isUsed = false
        ifUsed { isUsed = $0.isUsed }
        return isUsed
    }

    /// As ``commit()``, but that no thread waits for the store.
    ///
    /// The cap of a user's sessions, which follows a log-in, is enforced by synchronous calls.
    package func commitAsync() async throws -> SessionCommit {
        let touches = touches
        guard let provider = manager.asyncProvider,
            let call = try closing({ try $0.beginCommit(touching: touches) }) ?? nil
        else { return try await commitSettling() }
        // Not made where the session has got another id meanwhile: it is open again.
        guard try await make(call, provider) else { return try await commitSettling() }
        let commit = withState { $0.finishCommit() }
        try await settleAsync()
        return commit
    }

    private func commitSettling() async throws -> SessionCommit {
        let commit = try commitUnsettled()
        try await settleAsync()
        return commit
    }

    /// Brings what waits for the commit to the store, if the session was used at all, and no thread waits.
    package func saveIfUsedAsync() async throws {
        guard let provider = manager.asyncProvider else { return try saveIfUsed() }
        var call: SessionCall?
        try ifUsed { call = try $0.beginSave() }
        guard let call else { return }
        guard try await make(call, provider) else { return try saveIfUsed() }
        withState { $0.enforceUserCap() }
    }

    /// Changes the value of `key` atomically, as the synchronous `update` does, and holds no thread while a store answers whose
    /// provider can be awaited (``AsyncSessionProvider``).
    ///
    ///     app.get("/visits") { request, session in
    ///         "\(try await session.update("visits", default: 0) { $0 += 1; return $0 })"
    ///     }
    ///
    /// Parameters, result and errors are the synchronous one's. In an async function this is the one that is called.
    public nonisolated(nonsending) func update<T: Codable, Result>(
        _ key: ByteString, default initial: @autoclosure () throws -> T, replacingUndecodable: Bool = false,
        _ body: (inout T) throws -> Result
    ) async throws -> Result {
        guard let provider = manager.asyncProvider else {
            return try updateNow(key, initial, replacingUndecodable, body)
        }
        await prefetch()
        for _ in 0..<Self.updateLimit {
            let (change, seen, result) = try computed(key, initial, replacingUndecodable, body)
            switch try withState({ try $0.beginUpdate(change, of: SessionKey(key), seen: seen) }) {
            case .done: return result
            case .overtaken: continue
            case .call(let call): if try await make(call, provider) { return result }
            }
        }
        throw Self.contention(key)
    }

    /// Makes a call; false when it is to be made anew.
    private func make(_ call: SessionCall, _ provider: any AsyncSessionProvider) async throws -> Bool {
        do {
            switch call.kind {
            case .commit(let changes, let expected):
                let outcome = try await awaiting(provider) {
                    try await $0.commitAsync(changes, to: call.session, expecting: expected)
                }
                return try withState { try $0.land(outcome, of: changes, expecting: expected, call) }
            case .confirm:
                let outcome = try await awaiting(provider) {
                    try await $0.commitAsync(SessionPatch(), to: call.session, expecting: nil)
                }
                withState { state in
                    if state.concerns(call) { state.takeConfirmation(outcome) }
                }
            case .touch:
                let touch = try await awaiting(provider) { try await $0.touchAsync(call.session) }
                withState { state in
                    if state.concerns(call) { state.take(touch) }
                }
            case .create(let draft):
                try await create(draft, provider)
            }
            return true
        } catch {
            withState { $0.abandon(call) }
            throw error
        }
    }

    private func create(_ draft: SessionDraft, _ provider: any AsyncSessionProvider) async throws {
        for _ in 0..<SessionState.drawLimit {
            let fresh = manager.idFormat.draw()
            let creation = try await awaiting(provider) { try await $0.createAsync(fresh, draft) }
            if try withState({ try $0.take(creation, of: fresh, draft) }) { return }
        }
        throw SessionState.noFreshID
    }
}
