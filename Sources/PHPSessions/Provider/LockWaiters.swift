internal import GalletaPlatform

/// Threads for calls that wait for a lock which a page of PHP holds: a few, and only as long as there are any.
///
/// Threading: any thread.
final class LockWaiters: Sendable {
    private struct State {
        var count = 0
        var isClosed = false
    }

    private let limit: Int
    private let state = Locked(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// Runs a call on a thread of its own, and waits for it without one.
    ///
    /// - Throws: What the call throws; `busy` where as many wait already as may.
    func run<Result: Sendable>(_ call: @escaping @Sendable () throws -> Result) async throws -> Result {
        let mayWait = state.withLock { state in
            guard state.count < limit, !state.isClosed else { return false }
            state.count += 1
            return true
        }
        guard mayWait else { throw PHPSessionStoreError.busy }
        defer { state.withLock { $0.count -= 1 } }
        return try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try SystemThread(name: "php-lock") { continuation.resume(with: Swift.Result { try call() }) }
            } catch {
                continuation.resume(throwing: PHPSessionStoreError.busy)
            }
        }
    }

    /// Nobody waits from now on; who does is not disturbed.
    func close() {
        state.withLock { $0.isClosed = true }
    }
}
