internal import GalletaPlatform
internal import Logging
internal import RESP
internal import Sessions
internal import Synchronization

/// What is in Redis, and what its replies mean. Thread-safe.
final class RedisStore: Sendable {
    let client: RedisClient
    /// For calls that are awaited.
    let lane: RedisLane
    /// Calls that wait for Redis.
    let underWay = Atomic<Int>(0)
    let keys: RedisKeys
    let encrypts: Bool
    private let timeout: Duration
    private let logger: Logger
    private let throttle = LogThrottle()

    /// How long a replaced id is remembered, in milliseconds: an hour.
    static let retirement: Int64 = 3_600_000

    /// The next nonce: a number that begins at random, so that no two processes have one in common. It is no secret.
    private let nextNonce = Atomic<UInt64>(.random(in: .min ... .max))

    /// - Parameter timeout: The longest that one of the provider's calls takes, with all its round trips.
    init(client: RedisClient, keys: RedisKeys, timeout: Duration, encrypts: Bool, logger: Logger) {
        self.client = client
        lane = RedisLane(client)
        self.keys = keys
        self.timeout = timeout
        self.encrypts = encrypts
        self.logger = logger
    }

    deinit {
        // Its threads keep the lane.
        lane.close()
    }

    func fields(of id: SessionID) -> RedisFields {
        RedisFields(encrypts: encrypts, cipher: encrypts ? RedisCipher(id) : nil)
    }

    /// The fields of a session whose id is not known.
    var fieldsWithoutID: RedisFields {
        RedisFields(encrypts: encrypts, cipher: nil)
    }

    /// Eight bytes, by which a script knows a call that it has met before.
    func nonce() -> [UInt8] {
        let number = nextNonce.add(1, ordering: .relaxed).newValue
        return withUnsafeBytes(of: number) { Array($0) }
    }

    /// The beginning of one of the provider's calls.
    func call() -> RedisStoreCall {
        RedisStoreCall(self, deadline: .now.advanced(by: timeout))
    }

    var isBusy: Bool { underWay.load(ordering: .relaxed) > 0 }

    /// Lets the connections go; what still waits for one fails.
    func close() {
        lane.close()
        client.close()
    }

    // MARK: Failures

    static var nonsense: SessionStoreError {
        SessionStoreError(.unavailable, "Redis answered a script with what no version of it says")
    }

    static func failure(_ error: RedisError) -> SessionStoreError {
        guard error.code == .outOfMemory else {
            return SessionStoreError(
                .unavailable, "Redis \(error.code == .timeout ? "did not answer in time" : "failed")", underlying: error
            )
        }
        return SessionStoreError(
            .full,
            "Redis is at its maxmemory; nothing was changed. Raise it, or lower limits.bytes and the timeouts",
            underlying: error)
    }

    func noteReplicas(_ reached: Int64, of wanted: Int) {
        guard let suppressed = throttle.pass("replicas") else { return }
        logger.warning(
            "a log-out has reached fewer replicas than it should in time; a failover now could undo it",
            metadata: ["reached": "\(reached)", "wanted": "\(wanted)", "suppressed": "\(suppressed)"])
    }

    // MARK: Sessions

    /// What is under an id, by itself.
    enum Found {
        case none
        case alias(RedisAlias)
        case session(RedisMetadata, SessionValues)
    }

    func lookUp(_ digest: [UInt8]) -> RedisCommand {
        let key = keys.session(digest)
        return RedisCommand(RedisScripts.lookUp, keys: 1, count: 1, isRepeatable: true) { $0.bulk(key) }
    }

    /// What the reply to a look-up says, and the store's time.
    func found(_ reply: RESPValue, fields: RedisFields) throws(SessionStoreError) -> (found: Found, now: Int64) {
        guard let parts = reply.array, parts.count == 2, let now = parts[0].time, let entries = parts[1].array else {
            throw Self.nonsense
        }
        return (try found(entries, at: now, fields: fields), now)
    }

    /// What the fields and values of a hash say.
    func found(
        _ entries: [RESPValue], at now: Int64, fields: RedisFields
    ) throws(SessionStoreError) -> Found {
        guard !entries.isEmpty else { return .none }
        var metadata: RedisMetadata?
        var values: [(SessionKey, [UInt8])] = []
        values.reserveCapacity(entries.count / 2)
        for position in stride(from: 0, to: entries.count - 1, by: 2) {
            guard let field = entries[position].bytes, let value = entries[position + 1].bytes else {
                throw Self.nonsense
            }
            switch field {
            case [0x6D]: metadata = try RedisMetadata(value)
            case [0x75]: break
            case [0x61]: return RedisAlias(value).map { .alias($0) } ?? damaged("an id that a rotation replaced")
            default:
                if let entry = try fields.entry(field, value) { values.append(entry) }
            }
        }
        guard let metadata, let values = try? SessionValues(encodedValues: values) else { return damaged("a session") }
        guard metadata.isLive(at: now) else { return .none }
        return .session(metadata, values)
    }

    private func damaged(_ what: String) -> Found {
        if let suppressed = throttle.pass("damaged") {
            logger.error(
                "\(what) in Redis makes no sense; it counts as gone, its key is left as it is",
                metadata: ["suppressed": "\(suppressed)"])
        }
        return .none
    }

    func record(
        _ metadata: RedisMetadata, _ values: SessionValues, of id: SessionID, _ digest: [UInt8], at now: Int64,
        successor: SessionID?
    ) -> SessionRecord {
        let lease = RedisLease(RedisLease.Base(id: id, digest: digest, version: metadata.version, values: values))
        return metadata.record(values, at: now, successor: successor, lease: lease)
    }
}

extension RESPValue {
    /// A time or a version: a number that a script can have made; nil for any other.
    var time: Int64? {
        guard let integer, (0..<(1 << 53)).contains(integer) else { return nil }
        return integer
    }
}
