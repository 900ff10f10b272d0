internal import GalletaPlatform
internal import Synchronization

/// A request's view of its session.
///
/// Nothing is read before it is first used, nothing is created before something is written, and changes are brought to
/// the store, key by key, by the commit that the application makes when the handler returns and before the first byte
/// of the header. A handler that throws changes nothing (see ``rollBack()``); `update`, `destroy` and `rotate` act at once
/// and stand.
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
    private let client: String?
    /// The client wants the header of a page only, and shows nobody its content.
    let isForHead: Bool
    /// Measures what is asked of the store, if anybody wants to know.
    let stopwatch: Stopwatch?
    /// Made at the first use: a request that never touches its session costs this object and no more.
    ///
    /// The retained object's address, 0 before. (`AtomicLazyReference` is the same, but not specialised: 50 ns a call.)
    private let stateBits = Atomic<UInt>(0)
    /// True from the commit on; for sessions that are first used afterwards.
    private let isClosed = Atomic<Bool>(false)
    /// True for a request that is none of the visitor's doing.
    private let skipsTouch = Atomic<Bool>(false)

    init(
        manager: SessionManager, candidates: SessionIDCandidates, isSecure: Bool, client: String?, isForHead: Bool,
        stopwatch: Stopwatch?
    ) {
        self.stopwatch = stopwatch
        self.manager = manager
        self.isForHead = isForHead
        self.client = client
        self.candidates = candidates
        self.isSecure = isSecure
    }

    deinit {
        // Balances the retain of `makeState`.
        Self.unmanaged(stateBits.load(ordering: .acquiring))?.release()
    }

    /// Whether the commit notes the visit.
    var touches: Bool {
        get { !skipsTouch.load(ordering: .relaxed) }
        set { skipsTouch.store(!newValue, ordering: .relaxed) }
    }

    /// Runs `body` on the state.
    ///
    /// The lock is held while the store answers: it is this request's own, so only its child tasks can wait for it.
    /// It is never held while code of the application runs.
    func withState<Result>(_ body: (inout SessionState) throws -> Result) rethrows -> Result {
        try (state ?? makeState()).withLock(body)
    }

    /// Runs `body` on the state, unless the session was never used.
    func ifUsed(_ body: (inout SessionState) throws -> Void) rethrows {
        try state?.withLock(body)
    }

    /// Runs `body` on the state for the last time before the header; nil when the session was never used.
    func closing<Result>(_ body: (inout SessionState) throws -> Result) rethrows -> Result? {
        isClosed.store(true, ordering: .releasing)
        return try state?.withLock(body)
    }

    private var state: Locked<SessionState>? {
        // Safe: the bits are those of an object that stays retained as long as this one lives.
        Self.unmanaged(stateBits.load(ordering: .acquiring))?.takeUnretainedValue()
    }

    private func makeState() -> Locked<SessionState> {
        let made = Unmanaged.passRetained(
            Locked(
                SessionState(
                    manager: manager, candidates: candidates, isSecure: isSecure, client: client,
                    isCommitted: isClosed.load(ordering: .acquiring), stopwatch: stopwatch)))
        let (isFirst, winner) = stateBits.compareExchange(
            expected: 0, desired: UInt(bitPattern: made.toOpaque()), ordering: .acquiringAndReleasing)
        guard !isFirst else { return made.takeUnretainedValue() }
        made.release()
        return Self.unmanaged(winner)!.takeUnretainedValue()
    }

    private static func unmanaged(_ bits: UInt) -> Unmanaged<Locked<SessionState>>? {
        UnsafeRawPointer(bitPattern: bits).map { Unmanaged.fromOpaque($0) }
    }
}
