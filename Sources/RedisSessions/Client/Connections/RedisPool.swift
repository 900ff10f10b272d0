internal import GalletaPlatform

/// The connections to one server: at most so many, the one used last is taken first.
///
/// Threading: any thread.
final class RedisPool: Sendable {
    /// What a caller gets.
    enum Place {
        /// A connection that was used before.
        case idle(RedisConnection)
        /// Room for a new one: ``RedisPool/give(_:)`` or ``RedisPool/vacate()`` must follow.
        case room
        /// The pool is closed: another one has taken its place.
        case closed
    }

    private struct State {
        /// The one used last is last.
        var idle: [RedisConnection] = []
        /// Idle ones, those in use, and those being made.
        var count = 0
        var isClosed = false
    }

    let address: RedisAddress
    private let limit: Int
    private let idleTimeout: Duration
    private let state = Monitor(State())

    init(address: RedisAddress, limit: Int, idleTimeout: Duration) {
        self.address = address
        self.limit = limit
        self.idleTimeout = idleTimeout
    }

    deinit {
        close()
    }

    /// How many connections there are.
    var count: Int { state.withLock { $0.count } }

    /// Waits for a connection, or room for one.
    func take(by deadline: BootInstant) throws(RedisError) -> Place {
        while true {
            let limit = limit
            let isReady = { (state: State) in state.isClosed || !state.idle.isEmpty || state.count < limit }
            let claim = { (state: inout State) -> Place? in
                if state.isClosed { return .closed }
                if let connection = state.idle.popLast() { return .idle(connection) }
                guard state.count < limit else { return nil }
                state.count += 1
                return .room
            }
            // The clock of the condition is asked only where there is something to wait for.
            let place =
                state.withLock { isReady($0) ? claim(&$0) : nil }
                ?? state.wait(until: isReady, timeout: BootInstant.now.duration(to: deadline), then: claim)
            switch place {
            case nil:
                var error = RedisError(.timeout, "all \(limit) connections are in use")
                error.countsAgainstServer = false
                throw error
            case .idle(let connection):
                let idle = connection.idleSince.duration(to: .now)
                if idle < idleTimeout, connection.isQuiet { return .idle(connection) }
                // The server was restarted, or has closed it for its own reasons: no caller shall pay for it.
                connection.close()
                vacate()
            case .room, .closed:
                return place!
            }
        }
    }

    /// Takes a connection back; a closed one leaves its place free.
    func give(_ connection: RedisConnection) {
        connection.idleSince = .now
        let isKept = state.withLock { state in
            guard connection.isOpen, !state.isClosed else {
                state.count -= 1
                return false
            }
            state.idle.append(connection)
            return true
        }
        state.wakeOne()
        if !isKept { connection.close() }
    }

    /// The room that was taken is free again.
    func vacate() {
        state.withLock { $0.count -= 1 }
        state.wakeOne()
    }

    /// Closes idle connections now, those in use when they come back. Callers that wait go elsewhere.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            state.count -= state.idle.count
            defer { state.idle = [] }
            return state.idle
        }
        state.wake()
        for connection in idle { connection.close() }
    }
}
