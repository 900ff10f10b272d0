internal import GalletaPlatform

/// Work that blocks, on a thread of its own: tests share a pool of as many threads as there are processors with the tasks of
/// what they test, and one that blocked there could wait for itself.
enum Aside {
    /// - Parameters:
    ///   - work: Runs on a thread that ends with it.
    ///   - onCancel: Called when the task is cancelled meanwhile: ends what `work` waits for.
    static func run<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result, onCancel: @escaping @Sendable () -> Void = {}
    ) async throws -> Result {
        let thread = Locked<SystemThread?>(nil)
        let result = try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, any Error>) in
                do throws(SystemThread.StartError) {
                    let started = try SystemThread(name: "test-client") {
                        continuation.resume(with: Swift.Result { try work() })
                    }
                    thread.withLock { $0 = started }
                } catch {
                    continuation.resume(throwing: TestClientError(.thread(error.code)))
                }
            }
        } onCancel: {
            onCancel()
        }
        // It has nothing left to do: when this returns there is no thread any more.
        _ = thread.withLock { $0 }?.join(timeout: .seconds(1))
        return result
    }
}
