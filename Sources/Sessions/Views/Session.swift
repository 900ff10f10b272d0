internal import GalletaPlatform
internal import Synchronization

/// A request's view of its session.
///
/// Nothing is read before it is first used, nothing is created before something is written, and changes are brought to
/// the store, key by key, by the commit that the application makes when the handler returns and before the first byte
/// of the header. A handler that throws changes nothing; `update`, `destroy` and `rotate` act at once and stand.
///
///     app.post("/cart") { request, session in
///         var cart = try session.get("cart", as: [String].self) ?? []
///         cart.append("figs")
///         try session.set("cart", cart)
///         return "\(cart.count)"
///     }
///
/// Use `update` where requests of one visitor may meet: it is atomic, get-then-set is not.
///
/// Thread-safe: a handler may pass the session to child tasks. Methods may block while the store answers.
/// Every method throws `SessionStoreError` when the store fails; let it through, the visitor gets a 503.
public final class Session: Sendable {
    let manager: SessionManager
    private let candidates: SessionIDCandidates
    private let isSecure: Bool
    /// Made at the first use: a request that never touches its session costs this object and no more.
    private let state = AtomicLazyReference<Locked<SessionState>>()
    /// True from the commit on; for sessions that are first used afterwards.
    private let isClosed = Atomic<Bool>(false)

    init(manager: SessionManager, candidates: SessionIDCandidates, isSecure: Bool) {
        self.manager = manager
        self.candidates = candidates
        self.isSecure = isSecure
    }

    /// Runs `body` on the state.
    ///
    /// The lock is held while the store answers: it is this request's own, so only its child tasks can wait for it.
    /// It is never held while code of the application runs.
    func withState<Result>(_ body: (inout SessionState) throws -> Result) rethrows -> Result {
        try (state.load() ?? makeState()).withLock(body)
    }

    private func makeState() -> Locked<SessionState> {
        var fresh = SessionState(manager: manager, candidates: candidates, isSecure: isSecure)
        fresh.isCommitted = isClosed.load(ordering: .acquiring)
        return state.storeIfNil(Locked(fresh))
    }

    /// Runs `body` on the state for the last time before the header; nil when the session was never used.
    func closing<Result>(_ body: (inout SessionState) throws -> Result) rethrows -> Result? {
        isClosed.store(true, ordering: .releasing)
        return try state.load()?.withLock(body)
    }
}
