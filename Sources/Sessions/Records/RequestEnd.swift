internal import GalletaPlatform

/// Tells that a request is over for its client, though its handler still runs: its time was up, its client has gone, or the server
/// has stopped waiting. What a lease keeps from others (a lock) is to be let go of then, and not when the handler returns.
///
/// Threading: any thread.
public final class RequestEnd: Sendable {
    private struct State {
        var hasCome = false
        var actions: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    /// One that has not come.
    public init() {}

    /// Has something done when it comes, or at once if it has come: on whatever thread notices, so be quick, and block on nothing.
    public func whenItComes(_ action: @escaping @Sendable () -> Void) {
        let hasCome = state.withLock { state in
            if !state.hasCome { state.actions.append(action) }
            return state.hasCome
        }
        if hasCome { action() }
    }

    /// It comes. Later calls do nothing.
    public func come() {
        let actions = state.withLock { state in
            state.hasCome = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }
}
