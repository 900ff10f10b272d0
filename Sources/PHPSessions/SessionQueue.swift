internal import GalletaPlatform

/// Which threads of this process wait for each session, in the order of their coming.
///
/// At most so many: a slow page of PHP has its session for all of its run, and its visitor's further requests must not take all
/// threads. One of them at a time asks for the lock, the others wait for their turn, and who comes later is behind them: so a
/// lock that is polled, or that is anybody's who asks at the right moment, is a fair one among us.
///
/// Threading: any thread.
final class SessionQueue: Sendable {
    private struct Line {
        /// Places, the next one's first.
        var places: [UInt64] = []
        /// How often this process has let the session go.
        var releases: UInt64 = 0
    }

    private struct State {
        var lines: [PHPSessionID: Line] = [:]
        var lastPlace: UInt64 = 0
    }

    private let limit: Int
    private let state = Monitor(State())

    /// - Parameter limit: The most for one session.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many wait for a session.
    func count(of id: PHPSessionID) -> Int { state.withLock { $0.lines[id]?.places.count ?? 0 } }

    // MARK: Waiting

    /// Takes the lock at once if nobody is waiting for it; else in turn, until the deadline.
    ///
    /// - Parameter take: Asks for the lock: without waiting for it, or until a deadline. False when others have it.
    /// - Throws: `busy` at the deadline, or when as many wait as may.
    func take(
        _ id: PHPSessionID, until deadline: BootInstant,
        _ take: (_ deadline: BootInstant?) throws(PHPSessionStoreError) -> Bool
    ) throws(PHPSessionStoreError) {
        if count(of: id) == 0, try take(nil) { return }
        guard deadline > .now, let place = enter(id) else { throw .busy }
        defer { leave(id, place) }
        let isNext = state.wait(
            until: { $0.lines[id]?.places.first == place }, timeout: BootInstant.now.duration(to: deadline)
        ) { $0.lines[id]?.places.first == place }
        guard isNext, try take(deadline) else { throw .busy }
    }

    /// A place in the line of a session, for who knows its turn otherwise; nil when as many wait as may.
    func enter(_ id: PHPSessionID) -> UInt64? {
        state.withLock { state in
            guard state.lines[id]?.places.count ?? 0 < limit else { return nil }
            state.lastPlace += 1
            state.lines[id, default: Line()].places.append(state.lastPlace)
            return state.lastPlace
        }
    }

    func leave(_ id: PHPSessionID, _ place: UInt64) {
        state.withLock { state in
            state.lines[id]?.places.removeAll { $0 == place }
            if state.lines[id]?.places.isEmpty == true { state.lines[id] = nil }
        }
        state.wake()
    }

    // MARK: Locks that are asked for again and again

    /// How often this process has let a session go: for ``pause(_:since:for:)``.
    func releases(of id: PHPSessionID) -> UInt64 { state.withLock { $0.lines[id]?.releases ?? 0 } }

    /// Waits for so long, or until this process has let the session go once more.
    func pause(_ id: PHPSessionID, since releases: UInt64, for pause: Duration) {
        state.wait(until: { $0.lines[id]?.releases ?? 0 != releases }, timeout: pause) { _ in }
    }

    /// This process has let a session go.
    func released(_ id: PHPSessionID) {
        let isAwaited = state.withLock { state in
            state.lines[id]?.releases += 1
            return state.lines[id] != nil
        }
        if isAwaited { state.wake() }
    }
}
