internal import GalletaPlatform

/// Decides which calls are tried while a server fails: after some failures in a row none for a pause, then one at a
/// time, until one has a reply.
///
/// A value without clock: each method is told what time it is.
struct RedisBreaker {
    /// Whether a call may be tried.
    enum Admission {
        case admitted(Ticket)
        /// Fail at once, with what the last call that was tried has met.
        case refused(RedisError)
    }

    /// What an admitted call gives back with its result.
    struct Ticket: Equatable {
        fileprivate let generation: Int
    }

    /// What a result has changed.
    enum Change {
        /// Calls fail from now on.
        case opened
        /// Calls are tried again.
        case closed
    }

    private enum State {
        /// All are tried. So many have failed since the last that has not, the first of them then.
        case closed(failures: Int, since: BootInstant)
        /// None is tried before that moment.
        case open(until: BootInstant, pause: Duration)
        /// One is on its way, the others fail.
        case probing(pause: Duration)
    }

    /// Failures in a row that make it open.
    static let failureLimit = 5
    /// Failures that are older do not count: a rare call that fails is no outage.
    static let window = Duration.seconds(10)
    static let shortestPause = Duration.milliseconds(100)

    private let longestPause: Duration
    private var state = State.closed(failures: 0, since: BootInstant(nanoseconds: 0))
    /// Grows whenever it opens, probes or closes: results of calls from before say nothing any more.
    private var generation = 0
    private var lastFailure: RedisError?

    init(longestPause: Duration) {
        self.longestPause = longestPause
    }

    mutating func admit(at now: BootInstant) -> Admission {
        switch state {
        case .closed:
            return .admitted(Ticket(generation: generation))
        case .open(let until, let pause) where now >= until:
            state = .probing(pause: pause)
            generation += 1
            return .admitted(Ticket(generation: generation))
        case .open, .probing:
            return .refused(refusal)
        }
    }

    /// The call has got a reply.
    mutating func succeeded(_ ticket: Ticket) -> Change? {
        guard ticket.generation == generation else { return nil }
        switch state {
        case .closed(failures: 0, _):
            return nil
        case .closed:
            state = .closed(failures: 0, since: BootInstant(nanoseconds: 0))
            return nil
        case .open, .probing:
            state = .closed(failures: 0, since: BootInstant(nanoseconds: 0))
            generation += 1
            return .closed
        }
    }

    /// The call has got none.
    ///
    /// - Parameter jitter: From 0 to 1, at random: many processes shall not come back in step.
    mutating func failed(_ ticket: Ticket, _ error: RedisError, at now: BootInstant, jitter: Double) -> Change? {
        guard ticket.generation == generation else { return nil }
        guard error.countsAgainstServer else {
            // It says nothing; but a probe's place is free again.
            if case .probing(let pause) = state { state = .open(until: now, pause: pause) }
            return nil
        }
        lastFailure = error
        switch state {
        case .closed(let failures, let since):
            guard failures > 0, since.duration(to: now) < Self.window else {
                state = .closed(failures: 1, since: now)
                return nil
            }
            guard failures + 1 >= Self.failureLimit else {
                state = .closed(failures: failures + 1, since: since)
                return nil
            }
            open(pause: Self.shortestPause, at: now, jitter: jitter)
            return .opened
        case .open(_, let pause), .probing(let pause):
            open(pause: min(pause * 2, longestPause), at: now, jitter: jitter)
            return nil
        }
    }

    private mutating func open(pause: Duration, at now: BootInstant, jitter: Double) {
        let shortened = pause * (1 - min(max(jitter, 0), 1) / 4)
        state = .open(until: now.advanced(by: shortened), pause: pause)
        generation += 1
    }

    private var refusal: RedisError {
        let last = lastFailure ?? RedisError(.connection, "the server fails")
        var error = RedisError(last.code, "not tried, as the calls before have failed: \(last.message)")
        error.countsAgainstServer = false
        return error
    }
}
