internal import GalletaPlatform
internal import Glibc
internal import Logging
package import RESP
package import Sessions

/// Sends commands to Redis or Valkey, within a deadline, over a few connections that it keeps.
///
///     let client = try RedisClient(settings: RedisSettings(RedisServers(url: "redis://127.0.0.1")))
///     let replies = try client.run([RedisCommand("GET", ["key"], isRepeatable: true)])
///
/// Nothing is connected before the first call. Threading: any thread; a call blocks its own.
package final class RedisClient: Sendable {
    private let settings: RedisSettings
    private let counters = RedisCounters()
    private let route: RedisRoute
    private let breaker: Locked<RedisBreaker>

    /// - Throws: `ConfigurationError` that names the field.
    package init(settings: RedisSettings) throws(ConfigurationError) {
        try settings.check()
        self.settings = settings
        route = RedisRoute(settings: settings, connector: try RedisConnector(settings: settings, counters: counters))
        breaker = Locked(RedisBreaker(longestPause: settings.maximumPause))
    }

    deinit {
        close()
    }

    /// What it has done so far.
    package var statistics: RedisStatistics { counters.statistics }

    /// Closes all connections; those in use when their call ends. Later calls fail.
    package func close() {
        route.close()
    }

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
        var isRepeated = false
        return try run(commands, within: timeout, isRepeated: &isRepeated)
    }

    /// As ``run(_:within:)``.
    ///
    /// - Parameter isRepeated: Becomes true when a connection broke and commands were sent again which had been carried out
    ///   already, perhaps.
    package func run(
        _ commands: [RedisCommand], within timeout: Duration? = nil, isRepeated: inout Bool
    ) throws(RedisError) -> [RESPValue] {
        var call = RedisCall(commands)
        defer { isRepeated = isRepeated || call.isRepeated }
        return try run(&call, within: timeout ?? settings.totalTimeout)
    }

    /// Runs commands of several callers on one server, all sent at once; an error reply is the outcome of its own command.
    ///
    /// - Parameter isRepeated: As in ``run(_:within:isRepeated:)``.
    /// - Returns: What became of each command; an error that is none of its own is all that had no reply before it.
    func runApart(
        _ commands: [RedisCommand], within timeout: Duration, isRepeated: inout Bool
    ) -> [Result<RESPValue, RedisError>] {
        var call = RedisCall(commands, failsApart: true)
        defer { isRepeated = isRepeated || call.isRepeated }
        do throws(RedisError) {
            _ = try run(&call, within: timeout)
            return call.outcomes(nil)
        } catch {
            return call.outcomes(error)
        }
    }

    private func run(_ call: inout RedisCall, within timeout: Duration) throws(RedisError) -> [RESPValue] {
        guard !call.commands.isEmpty else { return [] }
        let start = BootInstant.now
        counters.count(counters.calls)
        let ticket: RedisBreaker.Ticket
        switch breaker.withLock({ $0.admit(at: start) }) {
        case .admitted(let admitted): ticket = admitted
        case .refused(let error): throw error
        }
        do {
            let replies = try run(&call, by: start.advanced(by: timeout))
            note(breaker.withLock { $0.succeeded(ticket) }, nil)
            return replies
        } catch {
            if error.code == .timeout { counters.count(counters.timeouts) }
            note(
                error.isReply
                    ? breaker.withLock { $0.succeeded(ticket) }
                    : breaker.withLock { $0.failed(ticket, error, at: .now, jitter: .random(in: 0...1)) },
                error)
            throw error
        }
    }

    private func note(_ change: RedisBreaker.Change?, _ error: RedisError?) {
        switch change {
        case nil:
            break
        case .opened:
            counters.count(counters.breakerOpenings)
            // Connections that look well may all lead to a server that answers no more.
            route.startAnew()
            settings.logger.error("Redis fails, so calls fail at once until it answers: \(error?.message ?? "")")
        case .closed:
            settings.logger.notice("Redis answers again.")
        }
    }

    private func run(_ call: inout RedisCall, by deadline: BootInstant) throws(RedisError) -> [RESPValue] {
        var pauses = Pauses()
        var side: RedisAddress?
        while true {
            let (step, pool) = attempt(&call, side: side, by: deadline)
            side = nil
            switch step {
            case .done(let replies): return replies
            case .fail(let error): throw error
            case .again: break
            case .moved(let address):
                // A server that is none of a cluster's has no say in where passwords and sessions go.
                guard settings.servers.topology == .cluster else {
                    throw RedisError(
                        .configuration,
                        "the server is a node of a cluster, and says that \(address) has the sessions: set isCluster")
                }
                if let pool { route.moved(to: address, from: pool) }
            case .ask(let address): side = address
            case .pause(let error): try pauses.wait(error, by: deadline)
            case .elsewhere(let error):
                guard let pool, route.isNotPrimary(pool) else { throw error }
                try pauses.wait(error, by: deadline)
            }
            counters.count(counters.retries)
        }
    }

    /// - Returns: What to do next, and the pool of the server that has answered.
    private func attempt(
        _ call: inout RedisCall, side: RedisAddress?, by deadline: BootInstant
    ) -> (RedisCall.Step, RedisPool?) {
        let (pool, connection, isReused): (RedisPool, RedisConnection, Bool)
        do throws(RedisError) {
            if let side {
                (pool, connection, isReused) = try route.acquire(side: side, by: deadline)
            } else {
                (pool, connection, isReused) = try route.acquire(by: deadline)
            }
        } catch {
            return (call.notConnected(error), nil)
        }
        defer { pool.give(connection) }
        do throws(RedisError) {
            let replies = try connection.run(
                call.remaining, inOrder: !call.failsApart, asking: side != nil, by: deadline)
            return (call.take(replies, from: connection.address), pool)
        } catch {
            return (call.failed(error, isReused: isReused), pool)
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
