internal import GalletaPlatform
internal import RESP
internal import Sessions

/// Makes connections: resolves, connects, logs in.
///
/// Threading: any thread.
final class RedisConnector: Sendable {
    /// What a connection is for.
    enum Purpose {
        /// Sessions, on any server.
        case data
        /// Sessions, on a server that says of itself that it is a primary.
        case primary
        /// Questions to a sentinel.
        case sentinel
    }

    private let settings: RedisSettings
    private let counters: RedisCounters
    private let resolver = RedisResolver()
    /// Nil where the settings want no TLS.
    private let tls: Locked<TLSContext?>

    /// - Throws: `ConfigurationError` when a file for TLS is not what it should be.
    init(settings: RedisSettings, counters: RedisCounters) throws(ConfigurationError) {
        self.settings = settings
        self.counters = counters
        tls = Locked(settings.servers.usesTLS ? try TLSContext(settings.tls) : nil)
    }

    /// A connection that has answered.
    ///
    /// - Parameter deadline: The caller's; an attempt ends after `connectTimeout` all the same.
    func connect(
        to address: RedisAddress, for purpose: Purpose, by deadline: BootInstant
    ) throws(RedisError) -> RedisConnection {
        let deadline = min(deadline, .now.advanced(by: settings.connectTimeout))
        do throws(RedisError) {
            let stream = try RedisStream(
                open(address, by: deadline), tls: tlsSession(with: address), by: deadline)
            counters.count(counters.connects)
            let connection = RedisConnection(
                stream, address: address, maximumReplyBytes: settings.maximumReplyBytes, counters: counters)
            do {
                try greet(connection, for: purpose, by: deadline)
            } catch {
                connection.close()
                throw error
            }
            return connection
        } catch {
            if settings.servers.usesTLS, error.code == .configuration, error.reply == nil { readTLSFiles() }
            // What was sent so far changes nothing.
            var error = error.at(address)
            error.isOutcomeUnknown = false
            throw error
        }
    }

    /// A certificate may have been replaced. Files that cannot be read change nothing.
    private func readTLSFiles() {
        guard let new = try? TLSContext(settings.tls) else { return }
        tls.withLock { $0 = new }
    }

    /// What is known of the address led to the wrong server. False for one that is no name, and so leads nowhere else.
    @discardableResult
    func distrust(_ address: RedisAddress) -> Bool {
        guard case .tcp(let host, let port) = address.place else { return false }
        return resolver.distrust(host, port: port)
    }

    private func tlsSession(with address: RedisAddress) throws(RedisError) -> TLSSession? {
        // A unix socket has no name to check, and nobody between.
        guard let tls = tls.withLock({ $0 }), case .tcp(let host, _) = address.place else { return nil }
        return try tls.session(with: host)
    }

    private func open(_ address: RedisAddress, by deadline: BootInstant) throws(RedisError) -> RedisSocket {
        switch address.place {
        case .unix(let path):
            return try RedisSocket.connect(unix: path, by: deadline)
        case .tcp(let host, let port):
            let addresses = try resolver.addresses(of: host, port: port, by: deadline)
            var failure: RedisError?
            for (index, resolved) in addresses.enumerated() {
                // A share each: the first may be one that swallows everything.
                let now = BootInstant.now
                let share = now.duration(to: deadline) / (addresses.count - index)
                do {
                    return try RedisSocket.connect(resolved, by: now.advanced(by: share))
                } catch {
                    failure = error
                }
            }
            resolver.distrust(host, port: port)
            throw failure!
        }
    }

    /// Logs in and chooses the database, in one round trip; without either it asks for a sign of life.
    private func greet(
        _ connection: RedisConnection, for purpose: Purpose, by deadline: BootInstant
    ) throws(RedisError) {
        let (user, source) =
            purpose == .sentinel
            ? (settings.sentinelUser, settings.sentinelPassword) : (settings.servers.user, settings.password)
        var writer = RESPWriter()
        var count = 0
        let password: [UInt8]?
        do {
            password = try source.read()
        } catch {
            throw RedisError(.configuration, error.reason)
        }
        if let password {
            writer.command([Array("AUTH".utf8)] + (user.map { [Array($0.utf8)] } ?? []) + [password])
            count += 1
        }
        if purpose != .sentinel, settings.servers.database != 0 {
            writer.command([Array("SELECT".utf8), Array("\(settings.servers.database)".utf8)])
            count += 1
        }
        if purpose == .primary {
            writer.command([Array("ROLE".utf8)])
            count += 1
        } else if count == 0 {
            writer.command([Array("PING".utf8)])
            count += 1
        }
        let replies = try connection.exchange(writer.bytes, replies: count, by: deadline)
        for (index, reply) in replies.enumerated() {
            guard case .error(let text) = reply else { continue }
            var error = RedisError(reply: text, isScript: false)
            // PING itself may be forbidden: that is an answer, too.
            if index == 0, password == nil, purpose != .primary, settings.servers.database == 0, text.code == "NOPERM" {
                continue
            }
            // "ERR invalid DB index", "ERR Client sent AUTH, but no password is set": a setting is wrong.
            if error.code == .reply { error.code = .configuration }
            error.countsAgainstServer = true
            throw error
        }
        if purpose == .primary, replies.last?.array?.first?.text != "master" {
            throw RedisError(.notNow, "the server is no primary")
        }
    }
}
