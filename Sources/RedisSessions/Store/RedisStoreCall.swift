internal import GalletaPlatform
internal import RESP
internal import Sessions
internal import Synchronization

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

    init(_ store: RedisStore, deadline: BootInstant) {
        self.store = store
        self.deadline = deadline
    }

    // MARK: Round trips

    func run(_ commands: [RedisCommand]) throws(SessionStoreError) -> [RESPValue] {
        store.underWay.add(1, ordering: .relaxed)
        defer { store.underWay.subtract(1, ordering: .relaxed) }
        let left = BootInstant.now.duration(to: deadline)
        do throws(RedisError) {
            guard left > .zero else { throw RedisError(.timeout, "no time is left for the next step") }
            return try store.client.run(commands, within: left, isRepeated: &isRepeated)
        } catch {
            throw RedisStore.failure(error)
        }
    }

    /// The same, and no thread waits: the commands go to Redis together with others'.
    func runParked(_ commands: [RedisCommand]) async throws(SessionStoreError) -> [RESPValue] {
        store.underWay.add(1, ordering: .relaxed)
        defer { store.underWay.subtract(1, ordering: .relaxed) }
        let outcome = await store.lane.run(commands, by: deadline)
        if outcome.isRepeated { isRepeated = true }
        do throws(RedisError) {
            return try outcome.replies.get()
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
        try run(script, keys: keys, arguments, reaching: replicas).outcome()
    }
}
