internal import GalletaPlatform

/// Works off what takes processors for long, on a bounded number of threads that begin when there is work and end when
/// there is none.
///
/// Known browsers go before strangers, and one that finds all places taken gets that of the stranger who came last and
/// still waits: so no crowd of guessers keeps out who has logged in before. Where as many are hashed as there are places,
/// nobody waits, and so nobody gives way.
///
/// Threading: usable from any thread.
final class HashingQueue: Sendable {
    struct Limits: Sendable {
        /// Jobs that run at a time.
        var workers: Int
        /// Jobs that wait for their turn.
        var waiting: Int
        /// Jobs that run or wait and hold their caller's thread.
        var blocked: Int
        /// How long a job waits for its turn.
        var timeout: Duration
    }

    /// A number for whoever asks, what is to be done, and where its outcome goes.
    private struct Job: Sendable {
        let number: Int
        let isKnown: Bool
        /// The caller's thread waits for it.
        let isBlocking: Bool
        let deadline: BootInstant
        /// Gives what hands over the result: once the place is free, so that who has it finds one for the next.
        let run: @Sendable () -> @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    /// Each job is in one of the two lists until a thread takes it, refuses it or it leaves; `running` counts those that
    /// threads have taken, and `threads` is never less.
    private struct State {
        var threads = 0
        var running = 0
        var blocked = 0
        var known: [Job] = []
        var strangers: [Job] = []
        var lastNumber = 0

        var present: Int { running + known.count + strangers.count }

        mutating func removeLastStranger(where isMeant: (Job) -> Bool) -> Job? {
            strangers.lastIndex(where: isMeant).map { count(out: strangers.remove(at: $0)) }
        }

        mutating func removeAll(where isMeant: (Job) -> Bool) -> [Job] {
            let removed = known.filter(isMeant) + strangers.filter(isMeant)
            known.removeAll(where: isMeant)
            strangers.removeAll(where: isMeant)
            return removed.map { count(out: $0) }
        }

        mutating func takeNext() -> Job? {
            if !known.isEmpty { return known.removeFirst() }
            return strangers.isEmpty ? nil : strangers.removeFirst()
        }

        /// A job that is gone, done or not.
        @discardableResult
        mutating func count(out job: Job) -> Job {
            if job.isBlocking { blocked -= 1 }
            return job
        }
    }

    private let limits: Limits
    private let clock: @Sendable () -> BootInstant
    private let state = Locked(State())

    init(_ limits: Limits, clock: @escaping @Sendable () -> BootInstant = { .now }) {
        self.limits = limits
        self.clock = clock
    }

    /// Runs `body` when it is its turn; the calling thread waits for it.
    ///
    /// - Parameter isKnown: It is for a browser that has logged in as this user before.
    /// - Throws: `busy` when it was not run.
    func run<Value: Sendable>(
        isKnown: Bool, _ body: @escaping @Sendable () -> Value
    ) throws(PasswordError) -> Value {
        let outcome = Monitor<Result<Value, PasswordError>?>(nil)
        @Sendable func finish(_ result: Result<Value, PasswordError>) {
            outcome.withLock { $0 = result }
            outcome.wake()
        }
        submit(isKnown: isKnown, isBlocking: true, number: nextNumber()) {
            let value = body()
            return { finish(.success(value)) }
        } refuse: { _ in
            finish(.failure(.busy))
        }
        return try outcome.wait(until: { $0 != nil }) { $0! }.get()
    }

    /// Runs `body` when it is its turn; no thread of the caller's waits for it.
    ///
    /// - Parameter isKnown: It is for a browser that has logged in as this user before.
    /// - Throws: `busy` when it was not run, `CancellationError` when the task was cancelled before.
    func run<Value: Sendable>(isKnown: Bool, _ body: @escaping @Sendable () -> Value) async throws -> Value {
        let number = nextNumber()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
                submit(isKnown: isKnown, isBlocking: false, number: number) {
                    let value = body()
                    return { continuation.resume(returning: value) }
                } refuse: {
                    continuation.resume(throwing: $0)
                }
                // The handler may have come before there was anything to leave.
                if Task.isCancelled { leave(number) }
            }
        } onCancel: {
            leave(number)
        }
    }

    private func nextNumber() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    private func submit(
        isKnown: Bool, isBlocking: Bool, number: Int, run: @escaping @Sendable () -> @Sendable () -> Void,
        refuse: @escaping @Sendable (any Error) -> Void
    ) {
        let now = clock()
        let job = Job(
            number: number, isKnown: isKnown, isBlocking: isBlocking, deadline: now.advanced(by: limits.timeout),
            run: run,
            refuse: refuse)
        let (refused, needsThread) = state.withLock { state in
            var refused = state.removeAll { $0.deadline < now }
            if isBlocking, state.blocked >= limits.blocked {
                guard isKnown, let other = state.removeLastStranger(where: \.isBlocking) else {
                    return (refused + [job], false)
                }
                refused.append(other)
            } else if state.present >= limits.workers + limits.waiting {
                guard isKnown, let other = state.removeLastStranger(where: { _ in true }) else {
                    return (refused + [job], false)
                }
                refused.append(other)
            }
            if isBlocking { state.blocked += 1 }
            if isKnown { state.known.append(job) } else { state.strangers.append(job) }
            let needsThread = state.threads < limits.workers
            if needsThread { state.threads += 1 }
            return (refused, needsThread)
        }
        refused.forEach { $0.refuse(PasswordError.busy) }
        if needsThread { startThread() }
    }

    private func leave(_ number: Int) {
        let left = state.withLock { $0.removeAll { $0.number == number } }
        left.forEach { $0.refuse(CancellationError()) }
    }

    private func startThread() {
        do throws(SystemThread.StartError) {
            _ = try SystemThread(name: "passwords") { [self] in work() }
        } catch {
            let refused = state.withLock { state in
                state.threads -= 1
                // Others will do it, if there are any.
                return state.threads == 0 ? state.removeAll { _ in true } : []
            }
            refused.forEach { $0.refuse(PasswordError.busy) }
        }
    }

    private func work() {
        var next = take(after: nil)
        while let job = next {
            let handOver = job.run()
            next = take(after: job)
            handOver()
        }
    }

    /// The next job; nil when there is none, and the thread counts no more.
    private func take(after done: Job?) -> Job? {
        let now = clock()
        let (late, next) = state.withLock { state in
            if let done {
                state.running -= 1
                state.count(out: done)
            }
            let late = state.removeAll { $0.deadline < now }
            let next = state.takeNext()
            if next == nil { state.threads -= 1 } else { state.running += 1 }
            return (late, next)
        }
        late.forEach { $0.refuse(PasswordError.busy) }
        return next
    }
}
