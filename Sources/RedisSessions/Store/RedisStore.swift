internal import GalletaPlatform
internal import Logging
internal import RESP
internal import Sessions
internal import Synchronization

/// The calls to Redis, and what their replies mean. Thread-safe.
final class RedisStore: Sendable {
    let client: RedisClient
    let keys: RedisKeys
    let encrypts: Bool
    private let logger: Logger
    private let throttle = LogThrottle()

    /// How many rotations in a row an id may lag behind.
    static let hopLimit = 8
    /// How long a replaced id is remembered, in milliseconds: an hour.
    static let retirement: Int64 = 3_600_000

    /// The next nonce: a number that begins at random, so that no two processes have one in common. It is no secret.
    private let nextNonce = Atomic<UInt64>(.random(in: .min ... .max))

    init(client: RedisClient, keys: RedisKeys, encrypts: Bool, logger: Logger) {
        self.client = client
        self.keys = keys
        self.encrypts = encrypts
        self.logger = logger
    }

    func fields(of id: SessionID) -> RedisFields {
        RedisFields(cipher: encrypts ? RedisCipher(id) : nil)
    }

    /// Eight bytes, by which a script knows a call that it has met before.
    func nonce() -> [UInt8] {
        let number = nextNonce.add(1, ordering: .relaxed).newValue
        return withUnsafeBytes(of: number) { Array($0) }
    }

    // MARK: Calls

    func run(_ commands: [RedisCommand]) throws(SessionStoreError) -> [RESPValue] {
        do {
            return try client.run(commands)
        } catch {
            throw Self.failure(error)
        }
    }

    func run(_ script: RedisScript, keys: [[UInt8]], _ arguments: [RedisArgument] = []) throws(SessionStoreError)
        -> RESPValue
    {
        let command = RedisCommand(script, keys: keys.map { .bytes($0) }, arguments: arguments, isRepeatable: true)
        guard let reply = try run([command]).first else { throw Self.nonsense }
        return reply
    }

    /// A script whose reply begins with a word.
    func outcome(
        _ script: RedisScript, keys: [[UInt8]], _ arguments: [RedisArgument] = []
    ) throws(SessionStoreError) -> (word: String, rest: ArraySlice<RESPValue>) {
        try outcome(RedisCommand(script, keys: keys.map { .bytes($0) }, arguments: arguments, isRepeatable: true))
    }

    /// The same of a command that was made before.
    func outcome(_ command: RedisCommand) throws(SessionStoreError) -> (word: String, rest: ArraySlice<RESPValue>) {
        let reply = try run([command]).first?.array ?? []
        guard let word = reply.first?.text else { throw Self.nonsense }
        if word == "form" { throw RedisMetadata.unknownForm(Int(reply.dropFirst().first?.integer ?? 0)) }
        return (word, reply.dropFirst())
    }

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

    /// What a look-up's reply says of `id`; nil: only the id can tell, and it is not known.
    func found(_ reply: RESPValue, fields: RedisFields) throws(SessionStoreError) -> (found: Found, now: Int64) {
        guard let parts = reply.array, parts.count == 2, let now = parts[0].integer, let entries = parts[1].array else {
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
                if let entry = fields.entry(field, value) { values.append(entry) }
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

    /// Follows an id that a rotation replaced, hop by hop: the store itself cannot, as it has no ids.
    func resolve(_ alias: RedisAlias, of id: SessionID, at now: Int64) throws(SessionStoreError) -> SessionFinding {
        var (alias, now) = (alias, now)
        let (start, rotated) = (now, alias.rotated)
        guard let first = alias.successor(of: id) else { return .none }
        var (current, isInGrace) = (id, true)
        for _ in 0..<Self.hopLimit {
            guard let next = alias.successor(of: current) else { return .none }
            isInGrace = isInGrace && now < alias.graceEnd
            current = next
            let digest = current.digest
            guard let reply = try run([lookUp(digest)]).first else { throw Self.nonsense }
            let found = try found(reply, fields: fields(of: current))
            switch found.found {
            case .none: return .none
            case .alias(let further): (alias, now) = (further, found.now)
            case .session(let metadata, let values):
                guard isInGrace else {
                    return .retired(
                        SessionRetirement(age: .milliseconds(max(0, start - rotated)), successor: first))
                }
                return .found(
                    record(metadata, values, of: current, digest, at: found.now, successor: current))
            }
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

    /// Runs `body` on the session's handle, and again on that of its successor where a rotation replaced the id.
    ///
    /// - Parameter body: Its answer, or the alias that was in the session's place, and the store's time.
    func following<Answer>(
        _ session: SessionHandle, gone: Answer,
        _ body: (SessionHandle) throws(SessionStoreError) -> RedisStep<Answer>
    ) throws(SessionStoreError) -> (answer: Answer, successor: SessionID?) {
        var current = session
        for hop in 0..<Self.hopLimit {
            switch try body(current) {
            case .done(let answer): return (answer, hop == 0 ? nil : current.id)
            case .alias(let alias, let now):
                guard now < alias.graceEnd, let next = alias.successor(of: current.id) else { return (gone, nil) }
                current = SessionHandle(next, lease: session.lease)
            }
        }
        return (gone, nil)
    }

    /// The step of a reply `{'alias', now, a}`.
    func aliasStep<Answer>(
        _ rest: ArraySlice<RESPValue>
    ) throws(SessionStoreError) -> RedisStep<Answer> {
        guard rest.count == 2, let now = rest.first?.integer, let bytes = rest.last?.bytes,
            let alias = RedisAlias(bytes)
        else { throw Self.nonsense }
        return .alias(alias, now)
    }
}

/// One script's answer, or the id to ask under next.
enum RedisStep<Answer> {
    case done(Answer)
    case alias(RedisAlias, Int64)
}
