internal import GalletaPlatform
internal import Glibc
package import RESP
package import Sessions

/// Sends commands to Redis or Valkey, within a deadline, over a few connections that it keeps.
///
///     let client = try RedisClient(settings: RedisSettings(RedisServers(url: "redis://127.0.0.1")))
///     let replies = try client.run([RedisCommand("GET", ["key"], isRepeatable: true)])
///
/// Nothing is connected before the first call. Threading: any thread; a call blocks its own.
package final class RedisClient: Sendable {
    private struct State {
        /// The connections to the server that has the sessions; nil until one is known.
        var pool: RedisPool?
        var isClosed = false
    }

    private let settings: RedisSettings
    private let counters = RedisCounters()
    private let connector: RedisConnector
    private let state = Locked(State())

    /// - Throws: `SessionError` of code `invalidConfiguration` that names the field.
    package init(settings: RedisSettings) throws(SessionError) {
        try settings.check()
        self.settings = settings
        connector = try RedisConnector(settings: settings, counters: counters)
    }

    deinit {
        close()
    }

    /// What it has done so far.
    package var statistics: RedisStatistics { counters.statistics }

    /// Runs commands on one server, all sent at once; one round trip unless a script is missing there.
    ///
    /// The commands are no transaction: others' may come between them, and one that a server refuses for the moment is
    /// carried out after those behind it.
    ///
    /// - Parameter timeout: In place of ``RedisSettings/totalTimeout``. All is in it: waiting for a connection,
    ///   connecting, logging in, retries.
    /// - Returns: A reply for each command, none of them an error.
    /// - Throws: The first error reply, or why there are no replies. See ``RedisError/isOutcomeUnknown``.
    package func run(_ commands: [RedisCommand], within timeout: Duration? = nil) throws(RedisError) -> [RESPValue] {
        counters.count(counters.calls)
        do {
            return try run(RedisCall(commands), by: .now.advanced(by: timeout ?? settings.totalTimeout))
        } catch {
            if error.code == .timeout { counters.count(counters.timeouts) }
            throw error
        }
    }

    /// Closes all connections; those in use when their call ends. Later calls fail.
    package func close() {
        let pool = state.withLock { state in
            state.isClosed = true
            defer { state.pool = nil }
            return state.pool
        }
        pool?.close()
    }

    private func run(_ call: RedisCall, by deadline: BootInstant) throws(RedisError) -> [RESPValue] {
        var call = call
        var pauses = Pauses()
        while true {
            switch attempt(&call, by: deadline) {
            case .done(let replies): return replies
            case .fail(let error): throw error
            case .pause(let error), .elsewhere(let error): try pauses.wait(error, by: deadline)
            case .again, .moved, .ask: break
            }
            counters.count(counters.retries)
        }
    }

    private func attempt(_ call: inout RedisCall, by deadline: BootInstant) -> RedisCall.Step {
        let (pool, connection, isReused): (RedisPool, RedisConnection, Bool)
        do throws(RedisError) {
            (pool, connection, isReused) = try acquire(by: deadline)
        } catch {
            return .fail(error)
        }
        defer { pool.give(connection) }
        do throws(RedisError) {
            return call.take(try connection.run(call.remaining, by: deadline), from: connection.address)
        } catch {
            return call.failed(error, isReused: isReused)
        }
    }

    private func acquire(by deadline: BootInstant) throws(RedisError) -> (RedisPool, RedisConnection, isReused: Bool) {
        while true {
            let pool = try currentPool()
            switch try pool.take(by: deadline) {
            case .idle(let connection):
                return (pool, connection, true)
            case .room:
                do {
                    return (pool, try connector.connect(to: pool.address, for: .data, by: deadline), false)
                } catch {
                    pool.vacate()
                    throw error
                }
            case .closed:
                continue
            }
        }
    }

    private func currentPool() throws(RedisError) -> RedisPool {
        try state.withLock { state throws(RedisError) in
            guard !state.isClosed else { throw RedisError(.connection, "the client is closed") }
            if let pool = state.pool { return pool }
            let pool = RedisPool(
                address: settings.servers.addresses[0], limit: settings.maximumConnections,
                idleTimeout: settings.idleTimeout)
            state.pool = pool
            return pool
        }
    }
}

/// The waits between attempts of one call: longer each time.
private struct Pauses {
    private var next: Int32 = 5

    /// - Throws: The error, when the deadline would pass.
    mutating func wait(_ error: RedisError, by deadline: BootInstant) throws(RedisError) {
        guard BootInstant.now.advanced(by: .milliseconds(Int64(next))) < deadline else { throw error }
        poll(nil, 0, next)
        next = min(2 * next, 40)
    }
}
