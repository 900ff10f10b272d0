internal import GalletaPlatform
internal import RESP
internal import Sessions

/// How many replicas a log-out is to reach, and how long it waits for them, in milliseconds.
struct RedisReplicas: Sendable {
    let count: Int
    let timeout: Int64
}

/// One of the provider's calls: its round trips share one deadline.
///
/// Threading: one thread.
final class RedisStoreCall {
    private let store: RedisStore
    private let deadline: BootInstant
    /// Whether a script was sent again that had been carried out already, perhaps.
    private(set) var isRepeated = false

    /// How many rotations in a row an id may lag behind.
    private static let hopLimit = 8

    init(_ store: RedisStore, deadline: BootInstant) {
        self.store = store
        self.deadline = deadline
    }

    // MARK: Round trips

    func run(_ commands: [RedisCommand]) throws(SessionStoreError) -> [RESPValue] {
        let left = BootInstant.now.duration(to: deadline)
        do throws(RedisError) {
            guard left > .zero else { throw RedisError(.timeout, "no time is left for the next step") }
            return try store.client.run(commands, within: left, isRepeated: &isRepeated)
        } catch {
            throw RedisStore.failure(error)
        }
    }

    /// - Parameter replicas: Those that what the script writes is to reach before this returns; a count that is not reached is
    ///   logged.
    func run(
        _ script: RedisScript, keys: [[UInt8]], _ arguments: [RedisArgument] = [],
        reaching replicas: RedisReplicas? = nil
    ) throws(SessionStoreError) -> RESPValue {
        var commands = [
            RedisCommand(script, keys: keys.map { .bytes($0) }, arguments: arguments, isRepeatable: true)
        ]
        // It counts replicas for the writes of its own connection, so it goes with them.
        if let replicas { commands.append(wait(for: replicas)) }
        let replies = try run(commands)
        guard replies.count == commands.count else { throw RedisStore.nonsense }
        if let replicas, let reached = replies[1].integer, reached < replicas.count {
            store.noteReplicas(reached, of: replicas.count)
        }
        return replies[0]
    }

    private func wait(for replicas: RedisReplicas) -> RedisCommand {
        // Half of what is left: the log-out is done then, and its answer shall come in time.
        let left = BootInstant.now.duration(to: deadline).nanoseconds / 2_000_000
        let time = max(1, min(replicas.timeout, left))
        return RedisCommand("WAIT", [.integer(Int64(replicas.count)), .integer(time)], isRepeatable: true)
    }

    /// A script whose reply begins with a word.
    func outcome(
        _ script: RedisScript, keys: [[UInt8]], _ arguments: [RedisArgument] = [],
        reaching replicas: RedisReplicas? = nil
    ) throws(SessionStoreError) -> (word: String, rest: ArraySlice<RESPValue>) {
        try outcome(try run(script, keys: keys, arguments, reaching: replicas))
    }

    /// The same of a command that was made before.
    func outcome(_ command: RedisCommand) throws(SessionStoreError) -> (word: String, rest: ArraySlice<RESPValue>) {
        guard let reply = try run([command]).first else { throw RedisStore.nonsense }
        return try outcome(reply)
    }

    private func outcome(_ reply: RESPValue) throws(SessionStoreError) -> (word: String, rest: ArraySlice<RESPValue>) {
        guard let reply = reply.array, let word = reply.first?.text else { throw RedisStore.nonsense }
        if word == "form" { throw RedisMetadata.unknownForm(reply.dropFirst().first?.integer ?? 0) }
        return (word, reply.dropFirst())
    }

    // MARK: Replaced ids

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
            guard let reply = try run([store.lookUp(digest)]).first else { throw RedisStore.nonsense }
            let found = try store.found(reply, fields: store.fields(of: current))
            switch found.found {
            case .none: return .none
            case .alias(let further): (alias, now) = (further, found.now)
            case .session(let metadata, let values):
                guard isInGrace else {
                    return .retired(
                        SessionRetirement(age: .milliseconds(max(0, start - rotated)), successor: first))
                }
                return .found(
                    store.record(metadata, values, of: current, digest, at: found.now, successor: current))
            }
        }
        return .none
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
        else { throw RedisStore.nonsense }
        return .alias(alias, now)
    }
}
