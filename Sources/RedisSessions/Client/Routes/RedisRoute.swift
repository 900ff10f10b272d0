internal import GalletaPlatform
internal import Logging

/// Knows which server has the sessions, and holds the connections to it.
///
/// There is one such server at a time. Once it is another one, all connections to the old one are closed: those in use
/// after their call.
///
/// Threading: any thread.
final class RedisRoute: Sendable {
    private struct State {
        /// The connections to the server that has the sessions; nil until one is known.
        var pool: RedisPool?
        /// Those to the server that a slot is moved to.
        var side: RedisPool?
        var isClosed = false
    }

    private enum Kind {
        case single(AddressOrder)
        case sentinel(RedisDirectory)
        case cluster(RedisDirectory)
    }

    private let settings: RedisSettings
    private let connector: RedisConnector
    private let kind: Kind
    private let state = Locked(State())
    /// True once the watch shall end.
    private let watchEnd = Monitor(false)
    private let isWatched = Locked(false)

    init(settings: RedisSettings, connector: RedisConnector) {
        self.settings = settings
        self.connector = connector
        let addresses = settings.servers.addresses
        switch settings.servers.topology {
        case .single:
            kind = .single(AddressOrder(addresses))
        case .sentinel(let primary):
            kind = .sentinel(RedisDirectory(sentinels: addresses, primary: primary, connector: connector))
        case .cluster:
            kind = .cluster(
                RedisDirectory(nodes: addresses, slot: HashSlot.of(settings.hashTag.utf8), connector: connector))
        }
    }

    deinit {
        close()
    }

    /// Closes all connections; those in use after their call. Later calls fail.
    func close() {
        let pools = state.withLock { state in
            state.isClosed = true
            defer { (state.pool, state.side) = (nil, nil) }
            return [state.pool, state.side]
        }
        for pool in pools { pool?.close() }
        watchEnd.withLock { $0 = true }
        watchEnd.wake()
    }

    // MARK: Connections

    /// A connection to the server that has the sessions; to be given back to the pool.
    func acquire(by deadline: BootInstant) throws(RedisError) -> (RedisPool, RedisConnection, isReused: Bool) {
        var tried: [RedisAddress] = []
        while true {
            let pool = try currentPool(by: deadline)
            switch try pool.take(by: deadline) {
            case .idle(let connection):
                return (pool, connection, true)
            case .room:
                do {
                    if let connection = try connect(for: pool, by: deadline) { return (pool, connection, false) }
                    pool.vacate()
                } catch {
                    pool.vacate()
                    tried.append(pool.address)
                    guard try goElsewhere(from: pool, after: error, tried: tried, by: deadline) else { throw error }
                }
            case .closed:
                continue
            }
        }
    }

    /// A connection to the server that a slot is moved to; to be given back to the pool.
    func acquire(side address: RedisAddress, by deadline: BootInstant) throws(RedisError) -> (
        RedisPool, RedisConnection, isReused: Bool
    ) {
        while true {
            let (pool, old) = try state.withLock { state throws(RedisError) in
                guard !state.isClosed else { throw Self.closed }
                if let side = state.side, side.address == address { return (side, RedisPool?.none) }
                let pool = newPool(address)
                defer { state.side = pool }
                return (pool, state.side)
            }
            old?.close()
            switch try pool.take(by: deadline) {
            case .idle(let connection):
                return (pool, connection, true)
            case .room:
                do {
                    return (pool, try connector.connect(to: address, for: .data, by: deadline), false)
                } catch {
                    pool.vacate()
                    throw error
                }
            case .closed:
                continue
            }
        }
    }

    /// - Returns: Nil when the sessions are with another server by now.
    private func connect(for pool: RedisPool, by deadline: BootInstant) throws(RedisError) -> RedisConnection? {
        switch kind {
        case .single, .cluster:
            return try connector.connect(to: pool.address, for: .data, by: deadline)
        case .sentinel(let sentinels):
            // At each connection: a primary that was away takes itself for one still.
            let address = try sentinels.locate(by: deadline)
            guard address == pool.address else {
                replace(pool, by: address)
                return nil
            }
            return try connector.connect(to: address, for: .primary, by: deadline)
        }
    }

    // MARK: Servers

    /// The server says that another one has the sessions.
    func moved(to address: RedisAddress, from pool: RedisPool) {
        let side = state.withLock { state in
            defer { state.side = nil }
            return state.side
        }
        side?.close()
        replace(pool, by: address)
    }

    /// The server does not take writes. False where there is no other to look for.
    func isNotPrimary(_ pool: RedisPool) -> Bool {
        switch kind {
        case .single(let order):
            let next = order.next(after: pool.address)
            guard next == pool.address else {
                replace(pool, by: next)
                break
            }
            // A name that leads to whichever is the primary: it may lead elsewhere by now.
            guard connector.distrust(next) else { return false }
            forget(pool)
        case .sentinel, .cluster:
            forget(pool)
        }
        return true
    }

    /// Closes the connections there are, and looks anew for the server: calls have failed for a while.
    func startAnew() {
        guard let pool = state.withLock({ $0.pool }) else { return }
        connector.distrust(pool.address)
        forget(pool)
    }

    /// After a server could not be reached: whether there is another one to try.
    private func goElsewhere(
        from pool: RedisPool, after error: RedisError, tried: [RedisAddress], by deadline: BootInstant
    ) throws(RedisError) -> Bool {
        guard error.countsAgainstServer, error.code != .configuration else { return false }
        let next: RedisAddress
        switch kind {
        case .single(let order): next = order.next(after: pool.address)
        case .sentinel: return false
        case .cluster(let nodes):
            do {
                next = try nodes.locate(by: deadline)
            } catch {
                return false
            }
        }
        guard !tried.contains(next) else { return false }
        replace(pool, by: next)
        return true
    }

    private func currentPool(by deadline: BootInstant) throws(RedisError) -> RedisPool {
        let known = try state.withLock { state throws(RedisError) in
            guard !state.isClosed else { throw Self.closed }
            return state.pool
        }
        if let known { return known }
        let address: RedisAddress
        switch kind {
        case .single(let order):
            address = order.addresses[0]
        case .sentinel(let sentinels):
            startWatch()
            address = try sentinels.locate(by: deadline)
        case .cluster(let nodes):
            address = try nodes.locate(by: deadline)
        }
        return try state.withLock { state throws(RedisError) in
            guard !state.isClosed else { throw Self.closed }
            // Another thread may have been faster.
            if let pool = state.pool { return pool }
            let pool = newPool(address)
            state.pool = pool
            return pool
        }
    }

    /// Unless somebody else has replaced the pool already.
    private func replace(_ pool: RedisPool, by address: RedisAddress) {
        let isReplaced = state.withLock { state in
            guard !state.isClosed, state.pool === pool, pool.address != address else { return false }
            state.pool = newPool(address)
            return true
        }
        guard isReplaced else { return }
        pool.close()
        settings.logger.notice("The sessions are at \(address) now, no longer at \(pool.address).")
    }

    private func forget(_ pool: RedisPool) {
        state.withLock { state in
            if state.pool === pool { state.pool = nil }
        }
        pool.close()
    }

    private func newPool(_ address: RedisAddress) -> RedisPool {
        RedisPool(address: address, limit: settings.maximumConnections, idleTimeout: settings.idleTimeout)
    }

    private static var closed: RedisError {
        var error = RedisError(.connection, "the client is closed")
        error.countsAgainstServer = false
        return error
    }

    // MARK: Watch

    /// Starts the thread that asks the sentinels again and again: connections to a primary that was replaced must not live
    /// on only because they still work.
    private func startWatch() {
        let isFirst = isWatched.withLock { isWatched in
            defer { isWatched = true }
            return !isWatched
        }
        guard isFirst else { return }
        let (end, interval) = (watchEnd, settings.primaryCheckInterval)
        do {
            _ = try SystemThread(name: "redis-watch") { [weak self] in
                while !end.wait(until: { $0 }, timeout: interval, then: { $0 }) {
                    guard let self else { return }
                    self.checkPrimary()
                }
            }
        } catch {
            // The next call tries again.
            isWatched.withLock { $0 = false }
        }
    }

    private func checkPrimary() {
        guard case .sentinel(let sentinels) = kind, let pool = state.withLock({ $0.pool }),
            let address = try? sentinels.locate(by: .now.advanced(by: min(settings.primaryCheckInterval, .seconds(1))))
        else { return }
        replace(pool, by: address)
    }
}
