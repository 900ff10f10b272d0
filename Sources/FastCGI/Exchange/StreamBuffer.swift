internal import GalletaPlatform

/// The bytes of a streamed answer between the task that writes them and the worker that sends them.
///
/// Neither waits on a thread: the task is suspended while more than ``highWater`` bytes lie here, and the connection is parked
/// while there are none.
///
/// Threading: any thread.
final class StreamBuffer: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var written = 0
        /// A worker has been called that has not come yet.
        var hasCalled = false
        var end: End?
        /// Nobody will send any more.
        var isClosed = false
        /// The server stops: a stream of events is to end.
        var isStopping = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private enum End {
        case whole
        case failed(ResponseError)
    }

    /// What there is to be sent.
    enum Next {
        case nothing
        case bytes([UInt8])
        case end
        case failed(ResponseError)
    }

    /// The length that was declared.
    let length: Int?
    /// Comments keep the connection alive, and the end asks the client to come back.
    let isEvents: Bool
    private let state = Locked(State())
    /// Has a worker come and send.
    private let call: @Sendable () -> Void

    /// Over so many bytes writers wait.
    private static let highWater = 64 << 10
    /// So many bytes are worth a worker's coming.
    private static let worthSending = 8 << 10

    init(length: Int?, isEvents: Bool, call: @escaping @Sendable () -> Void) {
        self.length = length
        self.isEvents = isEvents
        self.call = call
    }

    // MARK: The task

    func write(_ bytes: UnsafeRawBufferPointer, flush: Bool) throws(ResponseError) {
        let shallCall = try state.withLock { state throws(ResponseError) in
            guard !state.isClosed, !state.isStopping else { throw ResponseError(.closed) }
            guard state.end == nil else { throw ResponseError(.finished) }
            if let length, state.written + bytes.count > length {
                throw ResponseError(.lengthMismatch(declared: length, written: state.written + bytes.count))
            }
            state.pending.append(contentsOf: bytes)
            state.written += bytes.count
            guard flush ? !state.pending.isEmpty : state.pending.count >= Self.worthSending else { return false }
            defer { state.hasCalled = true }
            return !state.hasCalled
        }
        if shallCall { call() }
    }

    /// Suspends while too much lies here.
    func waitForRoom() async throws(ResponseError) {
        await withCheckedContinuation { continuation in
            let mayGoOn = state.withLock { state in
                if state.pending.count <= Self.highWater || state.isClosed || state.isStopping { return true }
                state.waiters.append(continuation)
                return false
            }
            if mayGoOn { continuation.resume() }
        }
        guard !state.withLock({ $0.isClosed || $0.isStopping }) else { throw ResponseError(.closed) }
    }

    /// The task is over.
    func finish(_ failure: (any Error)?) {
        state.withLock { state in
            if state.isStopping, isEvents {
                // Whatever its writer made of it: clients come back, to whoever serves then.
                state.pending.append(contentsOf: "retry: 1000\n\n".utf8)
                state.end = .whole
            } else if let failure {
                state.end = .failed(failure as? ResponseError ?? ResponseError(.stream("\(failure)")))
            } else if let length, state.written != length {
                state.end = .failed(ResponseError(.lengthMismatch(declared: length, written: state.written)))
            } else {
                state.end = .whole
            }
            state.hasCalled = true
        }
        call()
    }

    // MARK: The worker

    /// What is to be sent now.
    func take() -> Next {
        let (next, waiters) = state.withLock { state -> (Next, [CheckedContinuation<Void, Never>]) in
            state.hasCalled = false
            if !state.pending.isEmpty {
                let bytes = state.pending
                state.pending = []
                defer { state.waiters = [] }
                return (.bytes(bytes), state.waiters)
            }
            return switch state.end {
            case nil: (.nothing, [])
            case .whole: (.end, [])
            case .failed(let error): (.failed(error), [])
            }
        }
        for waiter in waiters { waiter.resume() }
        return next
    }

    /// Adds a comment, which clients ignore, where nothing else is on its way.
    func beat() {
        guard isEvents else { return }
        state.withLock { state in
            guard state.pending.isEmpty, state.end == nil else { return }
            state.pending.append(contentsOf: ":\n\n".utf8)
        }
    }

    /// The server stops. True if the stream is one that ends by it.
    func stop() -> Bool {
        guard isEvents else { return false }
        wake { $0.isStopping = true }
        return true
    }

    /// The connection has gone.
    func close() {
        wake { $0.isClosed = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
