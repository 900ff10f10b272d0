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

    /// An id that a rotation replaced, and how far it was followed.
    struct Trail {
        fileprivate let first: SessionID?
        fileprivate let age: Duration
        fileprivate var current: SessionID
        fileprivate var alias: RedisAlias
        fileprivate var now: Int64
        fileprivate var isInGrace = true

        init(_ alias: RedisAlias, of id: SessionID, at now: Int64) {
            first = alias.successor(of: id)
            age = .milliseconds(max(0, now - alias.rotated))
            (current, self.alias, self.now) = (id, alias, now)
        }
    }

    /// Follows an id that a rotation replaced.
    func resolve(_ alias: RedisAlias, of id: SessionID, at now: Int64) throws(SessionStoreError) -> SessionFinding {
        try resolve([Trail(alias, of: id, at: now)])[0]
    }

    /// Follows ids that rotations replaced, a hop of all of them in one round trip: the store itself cannot, as it has no ids.
    func resolve(_ trails: [Trail]) throws(SessionStoreError) -> [SessionFinding] {
        var findings = [SessionFinding](repeating: .none, count: trails.count)
        var trails = Array(trails.enumerated())
        for _ in 0..<Self.hopLimit where !trails.isEmpty {
            trails = trails.compactMap { position, trail in
                guard let next = trail.alias.successor(of: trail.current) else { return nil }
                var trail = trail
                trail.isInGrace = trail.isInGrace && trail.now < trail.alias.graceEnd
                trail.current = next
                return (position, trail)
            }
            let digests = trails.map(\.element.current.digest)
            let replies = try run(digests.map(store.lookUp))
            guard replies.count == trails.count else { throw RedisStore.nonsense }
            var left: [(offset: Int, element: Trail)] = []
            for (index, (position, trail)) in trails.enumerated() {
                var trail = trail
                let found = try store.found(replies[index], fields: store.fields(of: trail.current))
                switch found.found {
                case .none: break
                case .alias(let further):
                    (trail.alias, trail.now) = (further, found.now)
                    left.append((position, trail))
                case .session(let metadata, let values):
                    if trail.isInGrace {
                        findings[position] = .found(
                            store.record(
                                metadata, values, of: trail.current, digests[index], at: found.now,
                                successor: trail.current))
                    } else {
                        findings[position] = .retired(SessionRetirement(age: trail.age, successor: trail.first))
                    }
                }
            }
            trails = left
        }
        return findings
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
        guard rest.count == 2, let now = rest.first?.time, let bytes = rest.last?.bytes,
            let alias = RedisAlias(bytes)
        else { throw RedisStore.nonsense }
        return .alias(alias, now)
    }
}
