package import GalletaPlatform
internal import RESP
internal import RedisSessions

/// Redis as PHP's redis handler keeps sessions there (`session.save_handler = redis`): a string under each id, which expires,
/// and a lock beside it.
///
/// The lock is the handler's own (`redis.session.locking_enabled`). It is asked for again and again, as the handler does it, and has an
/// expiry here: it goes by itself if this process dies. Where PHP does not lock, a page may have written between our
/// reading and our writing: that is seen, and nothing of the page's is overwritten (`changed`).
///
/// Threading: any thread; each call waits for Redis, within the client's own timeout, beside its deadline.
package final class RedisStore: PHPSessionStore {
    /// How a store in Redis is set up.
    package struct Configuration: Sendable {
        /// Which server, as PHP's `session.save_path` says it.
        package var place: RedisSavePath
        /// PHP's `session.gc_maxlifetime`, which each use of a session sets as its expiry.
        package var idleTimeout: Duration
        /// Bytes of a session. A longer one is refused. Default: 4 MiB.
        package var maxBytes = 4 << 20
        /// Threads that wait for the same session at a time. Default: 2.
        package var maxWaiters = 2
        /// How long a lock lasts that nobody lets go of. Default: 30 s.
        package var lockExpiry = Duration.seconds(30)
        /// How long a call of Redis's takes at most. Default: 250 ms.
        package var timeout = Duration.milliseconds(250)
        /// What "now" is.
        package var clock = WallClock.system

        package init(place: RedisSavePath, idleTimeout: Duration) {
            self.place = place
            self.idleTimeout = idleTimeout
        }
    }

    let client: RedisClient
    let configuration: Configuration
    private let queue: SessionQueue

    /// Connects at the first call.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    package init(_ configuration: Configuration) throws(ConfigurationError) {
        self.configuration = configuration
        queue = SessionQueue(limit: configuration.maxWaiters)
        var settings = RedisSettings(configuration.place.servers)
        settings.totalTimeout = configuration.timeout
        client = try RedisClient(settings: settings)
    }

    /// Asks the server, so that a wrong address or password is told at the start.
    func check() throws(ConfigurationError) {
        do throws(RedisError) {
            _ = try client.run([RedisCommand("PING", isRepeatable: true)], within: .seconds(5))
        } catch {
            throw ConfigurationError(
                field: "savePath", reason: "Redis does not answer: \(error.message)",
                remedy: """
                    copy session.save_path from PHP's settings, and look whether Redis runs; if PHP is to have its sessions from \
                    this program, give socket=
                    """)
        }
    }

    package func close() {
        client.close()
    }

    // MARK: Opening

    package func read(_ id: PHPSessionID, until deadline: BootInstant) throws(PHPSessionStoreError)
        -> PHPSessionContent?
    {
        // Redis changes a string as a whole: no lock is needed to look.
        try content(run(reading(id)))
    }

    package func open(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (any PHPSessionRecord)? {
        let (lock, content) = try take(id, until: deadline)
        guard let content else {
            lock.release()
            return nil
        }
        return RedisRecord(store: self, id: id, lock: lock, content, isNew: false)
    }

    package func create(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (any PHPSessionRecord)? {
        let (lock, content) = try take(id, until: deadline)
        guard content == nil else {
            lock.release()
            return nil
        }
        let nothing = PHPSessionContent(bytes: [], lastUse: configuration.clock.now)
        return RedisRecord(store: self, id: id, lock: lock, nothing, isNew: true)
    }

    func key(_ id: PHPSessionID) -> RedisArgument { .bytes(configuration.place.prefix + Array(id.text.utf8)) }

    private func reading(_ id: PHPSessionID) -> [RedisCommand] {
        [RedisCommand("GET", [key(id)], isRepeatable: true), RedisCommand("PTTL", [key(id)], isRepeatable: true)]
    }

    private func content(_ replies: [RESPValue]) throws(PHPSessionStoreError) -> PHPSessionContent? {
        guard let bytes = replies[0].bytes else { return nil }
        guard bytes.count <= configuration.maxBytes else {
            throw .refused("a session has more bytes than maxBytes, \(configuration.maxBytes)")
        }
        // Gone in between, or without expiry, which PHP's handler never leaves it.
        let left = replies[1].integer.flatMap { $0 < 0 ? nil : Duration.milliseconds($0) } ?? configuration.idleTimeout
        return PHPSessionContent(
            bytes: bytes, lastUse: configuration.clock.now - max(.zero, configuration.idleTimeout - left))
    }

    // MARK: Locking

    /// The lock, and what there is under it.
    private func take(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (RedisLock, PHPSessionContent?) {
        let lock = RedisLock(client: client, key: lockKey(of: id)) { [queue] in queue.released(id) }
        let reading = reading(id)
        var replies: [RESPValue]?
        try queue.take(id, until: deadline) { (deadline) throws(PHPSessionStoreError) in
            replies =
                if let deadline {
                    try poll(lock, of: id, reading, until: deadline)
                } else {
                    try lock.take(for: configuration.lockExpiry, reading: reading)
                }
            return replies != nil
        }
        return (lock, try content(replies!))
    }

    /// Asks for the lock until the deadline: now and then, as pages let it go in silence, and whenever this process has.
    private func poll(
        _ lock: RedisLock, of id: PHPSessionID, _ reading: [RedisCommand], until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> [RESPValue]? {
        var pause = Duration.milliseconds(1)
        while true {
            let releases = queue.releases(of: id)
            if let replies = try lock.take(for: configuration.lockExpiry, reading: reading) { return replies }
            guard deadline > .now else { break }
            // Not in step with others who do so.
            let random = Duration.nanoseconds(Int64.random(in: 0...pause.nanoseconds))
            queue.pause(id, since: releases, for: min(pause + random, BootInstant.now.duration(to: deadline)))
            pause = min(pause * 2, .milliseconds(10))
        }
        try lock.refuseEndless()
        return nil
    }

    private func lockKey(of id: PHPSessionID) -> RedisArgument {
        .bytes(configuration.place.prefix + Array(id.text.utf8) + Array("_LOCK".utf8))
    }

    func run(_ commands: [RedisCommand]) throws(PHPSessionStoreError) -> [RESPValue] {
        do throws(RedisError) {
            return try client.run(commands)
        } catch {
            throw PHPSessionStoreError(error)
        }
    }
}

extension PHPSessionStoreError {
    init(_ error: RedisError) {
        self.init(code: .failed, reason: "Redis: \(error.message)")
    }
}
