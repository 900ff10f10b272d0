internal import GalletaPlatform

/// Keeps password checks, which take processors for long on purpose, from taking the server from everybody else.
///
/// At once at most max(1, min(workers, processors) / 2) checks run. Those that run and those that wait for their turn
/// hold at most half the workers; who comes then is refused, and so is who has waited too long.
///
/// Threading: usable from any thread.
final class VerificationQueue: Sendable {
    /// No check was made; try again later.
    struct Full: Error {
        /// After how long.
        let retryAfter = Duration.seconds(5)
    }

    private struct State {
        var running = 0
        var present = 0
    }

    private let maxRunning: Int
    private let maxPresent: Int
    private let maxWait: Duration
    private let state = Monitor(State())

    /// - Parameters:
    ///   - workers: Threads that serve requests, and call here.
    ///   - processors: Processors of the machine.
    ///   - maxWait: How long a check waits for its turn.
    init(workers: Int, processors: Int, maxWait: Duration = .seconds(10)) {
        maxRunning = max(1, min(workers, processors) / 2)
        maxPresent = max(1, workers / 2)
        self.maxWait = maxWait
    }

    /// Makes a check, on the calling thread, once it is its turn.
    ///
    /// - Throws: ``Full`` when the check was not made.
    func run<Result>(_ check: () -> Result) throws(Full) -> Result {
        let isPresent = state.withLock { state in
            guard state.present < maxPresent else { return false }
            state.present += 1
            return true
        }
        guard isPresent else { throw Full() }
        let limit = maxRunning
        let isRunning = state.wait(until: { $0.running < limit }, timeout: maxWait) { state in
            guard state.running < limit else {
                state.present -= 1
                return false
            }
            state.running += 1
            return true
        }
        guard isRunning else { throw Full() }
        defer {
            state.withLock { state in
                state.running -= 1
                state.present -= 1
            }
            state.wake()
        }
        return check()
    }
}
