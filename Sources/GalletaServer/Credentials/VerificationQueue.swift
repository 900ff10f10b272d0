internal import GalletaPlatform

/// Keeps password checks, which take processors for long on purpose, from taking the server from everybody else.
///
/// At once at most max(1, min(workers, processors) / 2) checks run. Those that run and those that wait for their turn
/// hold at most half the workers, but may be one: a single worker serves nobody else while it checks. Who comes then is
/// refused, and so is who has waited too long.
///
/// Known browsers (``KnownBrowsers``) go before strangers, and one that finds all places taken gets that of the stranger
/// who came last and still waits: so no crowd of guessers keeps out who has logged in before. Where as many check as there
/// are places, as with two workers, nobody waits, and so nobody gives way.
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
        /// Who waits, first come first; each caller has a number of its own.
        var known: [Int] = []
        var strangers: [Int] = []
        var lastNumber = 0

        var present: Int { running + known.count + strangers.count }
        var next: Int? { known.first ?? strangers.first }

        /// Takes a place in the queue; nil when there is none.
        mutating func enter(isKnown: Bool, maxPresent: Int) -> Int? {
            if present >= maxPresent {
                guard isKnown, strangers.popLast() != nil else { return nil }
            }
            lastNumber += 1
            if isKnown { known.append(lastNumber) } else { strangers.append(lastNumber) }
            return lastNumber
        }

        /// False for who had to give way.
        func holds(_ number: Int) -> Bool { known.contains(number) || strangers.contains(number) }

        mutating func leave(_ number: Int) {
            known.removeAll { $0 == number }
            strangers.removeAll { $0 == number }
        }
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
    /// - Parameter isKnown: It is for a browser that has logged in as this user before.
    /// - Throws: ``Full`` when the check was not made.
    func run<Result>(isKnown: Bool, _ check: () -> Result) throws(Full) -> Result {
        let most = maxPresent
        guard let number = state.withLock({ $0.enter(isKnown: isKnown, maxPresent: most) }) else { throw Full() }
        // Who has to give way must not hold its worker any longer.
        state.wake()
        let limit = maxRunning
        let isRunning = state.wait(
            until: { !$0.holds(number) || $0.running < limit && $0.next == number }, timeout: maxWait
        ) { state in
            let isTurn = state.running < limit && state.next == number
            state.leave(number)
            if isTurn { state.running += 1 }
            return isTurn
        }
        // The next one's turn may have come by that.
        state.wake()
        guard isRunning else { throw Full() }
        defer {
            state.withLock { $0.running -= 1 }
            state.wake()
        }
        return check()
    }
}
