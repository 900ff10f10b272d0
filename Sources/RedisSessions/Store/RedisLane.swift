internal import GalletaPlatform
internal import RESP

/// Sends the commands of calls that are awaited, all that wait at a time in one round trip.
///
/// A thread of its own takes what is queued, has the client run it as one call, and hands each its replies: with the client's
/// retries, redirects and breaker. While it is in a call others queue up behind it, so the busier, the fewer round trips. A
/// second thread helps where a call takes long: a connection that stalls holds up those that were sent on it and no more.
///
/// Threading: any thread. What is queued is resumed in any case: with replies, when its time is over, or at the close.
final class RedisLane: Sendable {
    /// What came of commands.
    struct Outcome: Sendable {
        /// A reply to each, none an error; else the first error.
        let replies: Result<[RESPValue], RedisError>
        /// Whether they were sent again, and had been carried out already, perhaps.
        var isRepeated = false
    }

    private struct Waiter: Sendable {
        let commands: [RedisCommand]
        let deadline: BootInstant
        let continuation: UnsafeContinuation<Outcome, Never>

        func resume(_ error: RedisError) {
            continuation.resume(returning: Outcome(replies: .failure(error)))
        }
    }

    private struct State {
        /// In the order of their deadlines, as good as: all have the same time from when they are queued.
        var queue: [Waiter] = []
        /// Since when the first thread has been in its call.
        var callSince: BootInstant?
        /// The second thread waits to be called.
        var helperRests = false
        var isStarted = false
        var isClosed = false
    }

    private let client: RedisClient
    private let state = Monitor(State())
    /// True when the second thread is to look after the first.
    private let helperCall = Monitor(false)

    /// The most commands and bytes of a round trip, unless one call has more.
    private static let commandLimit = 64
    private static let byteLimit = 256 << 10
    /// How much later than the first's a deadline may be: a round trip ends at the first.
    private static let window = Duration.milliseconds(20)
    /// A call that takes longer gets help.
    private static let patience = Duration.milliseconds(2)

    init(_ client: RedisClient) {
        self.client = client
    }

    /// Has commands sent with others' and waits for their replies, until `deadline`.
    ///
    /// A task that is cancelled waits all the same: what its commands do in Redis is to be known.
    func run(_ commands: [RedisCommand], by deadline: BootInstant) async -> Outcome {
        await withUnsafeContinuation { continuation in
            queue(Waiter(commands: commands, deadline: deadline, continuation: continuation))
        }
    }

    /// Resumes what is queued, and what is queued later, with an error. What is on its way ends by itself.
    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            defer { state.queue = [] }
            return state.queue
        }
        state.wake()
        callHelper()
        for waiter in left { waiter.resume(Self.closed) }
    }

    private static var closed: RedisError {
        var error = RedisError(.connection, "the client is closed")
        error.countsAgainstServer = false
        return error
    }

    // MARK: The queue

    private func queue(_ waiter: Waiter) {
        let (isClosed, isFirst) = state.withLock { state in
            guard !state.isClosed else { return (true, false) }
            state.queue.append(waiter)
            defer { state.isStarted = true }
            return (false, !state.isStarted)
        }
        guard !isClosed else { return waiter.resume(Self.closed) }
        if isFirst { start() } else { state.wakeOne() }
    }

    private func start() {
        do throws(SystemThread.StartError) {
            _ = try SystemThread(name: "redis-lane") { [self] in runFirst() }
        } catch {
            // This thread does what there is; the next call tries again.
            let left = state.withLock { state in
                state.isStarted = false
                defer { state.queue = [] }
                return state.queue
            }
            for waiter in left { run([waiter]) }
            return
        }
        // Without it a call that stalls holds up the others: no more than that.
        _ = try? SystemThread(name: "redis-lane-2") { [self] in runHelper() }
    }

    /// What goes into the next round trip.
    private static func take(_ queue: inout [Waiter]) -> [Waiter] {
        guard let first = queue.first else { return [] }
        let end = first.deadline.advanced(by: window)
        var (commands, bytes, count) = (0, 0, 0)
        for waiter in queue {
            commands += waiter.commands.count
            bytes += waiter.commands.reduce(0) { $0 + $1.byteCount }
            guard count == 0 || (commands <= commandLimit && bytes <= byteLimit && waiter.deadline <= end) else {
                break
            }
            count += 1
        }
        defer { queue.removeFirst(count) }
        return count == queue.count ? queue : Array(queue[..<count])
    }

    // MARK: The threads

    private func runFirst() {
        while true {
            let (batch, callsHelper) = state.wait(until: { !$0.queue.isEmpty || $0.isClosed }) { state in
                let batch = Self.take(&state.queue)
                guard !batch.isEmpty else { return (batch, false) }
                state.callSince = .now
                defer { state.helperRests = false }
                return (batch, state.helperRests)
            }
            guard !batch.isEmpty else { return }
            if callsHelper { callHelper() }
            run(batch)
            state.withLock { $0.callSince = nil }
        }
    }

    private func callHelper() {
        helperCall.withLock { $0 = true }
        helperCall.wake()
    }

    /// What the second thread is to do.
    private enum Help {
        case run([Waiter])
        /// The first thread is in a call.
        case watch
        case rest
        case end
    }

    private func runHelper() {
        while true {
            let help = state.withLock { state in
                if state.isClosed { return Help.end }
                guard let since = state.callSince else {
                    state.helperRests = state.queue.isEmpty
                    return state.helperRests ? .rest : .watch
                }
                guard since.advanced(by: Self.patience) < .now, !state.queue.isEmpty else { return .watch }
                return .run(Self.take(&state.queue))
            }
            switch help {
            case .run(let batch): run(batch)
            case .watch: helperCall.wait(until: { $0 }, timeout: Self.patience) { $0 = false }
            case .rest: helperCall.wait(until: { $0 }) { $0 = false }
            case .end: return
            }
        }
    }

    // MARK: A round trip

    private func run(_ batch: [Waiter]) {
        let now = BootInstant.now
        let late = batch.filter { $0.deadline <= now }
        for waiter in late { waiter.resume(RedisError(.timeout, "no time is left for the next step")) }
        let waiters = late.isEmpty ? batch : batch.filter { $0.deadline > now }
        guard let deadline = waiters.map(\.deadline).min() else { return }
        var isRepeated = false
        let outcomes = client.runApart(
            waiters.flatMap(\.commands), within: now.duration(to: deadline), isRepeated: &isRepeated)
        var position = 0
        var (unread, unsent): ([Waiter], [Waiter]) = ([], [])
        for waiter in waiters {
            let own = outcomes[position..<(position + waiter.commands.count)]
            position += waiter.commands.count
            let replies = Self.together(own)
            // A reply of one that cannot be read ends the connection for all: who is to blame shows when each goes alone.
            if waiters.count > 1, case .failure(let error) = replies, error.code == .protocol {
                unread.append(waiter)
                continue
            }
            // No new connection in its time. The server may only be slow, and the other thread is on one that it has.
            if case .failure(let error) = replies, error.hasNoConnectionInTime, waiter.deadline > .now {
                unsent.append(waiter)
                continue
            }
            waiter.continuation.resume(returning: Outcome(replies: replies, isRepeated: isRepeated))
        }
        for waiter in unread { runAlone(waiter) }
        if !unsent.isEmpty { putBack(unsent) }
    }

    private func putBack(_ waiters: [Waiter]) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.queue.insert(contentsOf: waiters, at: 0) }
            return state.isClosed
        }
        if isClosed { for waiter in waiters { waiter.resume(Self.closed) } }
        state.wakeOne()
    }

    private func runAlone(_ waiter: Waiter) {
        var isRepeated = false
        let left = BootInstant.now.duration(to: waiter.deadline)
        guard left > .zero else {
            return waiter.resume(RedisError(.timeout, "no time is left for the next step").afterSending())
        }
        let outcomes = client.runApart(waiter.commands, within: left, isRepeated: &isRepeated)
        waiter.continuation.resume(returning: Outcome(replies: Self.together(outcomes[...]), isRepeated: true))
    }

    private static func together(
        _ outcomes: ArraySlice<Result<RESPValue, RedisError>>
    ) -> Result<[RESPValue], RedisError> {
        var replies: [RESPValue] = []
        replies.reserveCapacity(outcomes.count)
        var failure: RedisError?
        for outcome in outcomes {
            switch outcome {
            case .success(let reply): replies.append(reply)
            case .failure(let error): failure = failure ?? error
            }
        }
        guard let failure else { return .success(replies) }
        return .failure(failure.afterSending(!replies.isEmpty))
    }
}

extension RedisError {
    /// Nothing was sent, and a later attempt may do; not so when none is made, for all have failed.
    fileprivate var hasNoConnectionInTime: Bool { code == .timeout && !isOutcomeUnknown && countsAgainstServer }
}
