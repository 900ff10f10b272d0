internal import GalletaPlatform

/// Ends a request's connection when the task that waits for the answer is cancelled, before there is one as well as later.
final class RequestCancellation: Sendable {
    private struct State {
        var connection: TestConnection?
        var isCancelled = false
    }

    private let state = Locked(State())

    /// The connection that a cancellation ends, an earlier one too.
    func cover(_ connection: TestConnection) {
        let isCancelled = state.withLock { state in
            state.connection = connection
            return state.isCancelled
        }
        if isCancelled { connection.close() }
    }

    func cancel() {
        let connection = state.withLock { state in
            state.isCancelled = true
            return state.connection
        }
        connection?.close()
    }
}
