internal import GalletaPlatform
internal import RESP
internal import Sessions

/// What one of the provider's calls sends, and what it makes of the replies. Does nothing itself, so that a thread can wait
/// for the replies, or a task.
protocol RedisOperation {
    associatedtype Outcome

    /// The commands of the next round trip.
    mutating func commands() throws(SessionStoreError) -> [RedisCommand]

    /// Takes a reply for each command; nil when there is more to ask.
    ///
    /// - Parameter isRepeated: Whether a command was sent again that had been carried out already, perhaps.
    mutating func take(_ replies: [RESPValue], isRepeated: Bool) throws(SessionStoreError) -> Outcome?
}

extension RedisStoreCall {
    /// Waits for each round trip on this thread.
    func carryOut<Operation: RedisOperation>(
        _ operation: consuming Operation
    ) throws(SessionStoreError) -> Operation.Outcome {
        while true {
            let replies = try run(try operation.commands())
            if let outcome = try operation.take(replies, isRepeated: isRepeated) { return outcome }
        }
    }

    /// Awaits each round trip.
    func awaitOutcome<Operation: RedisOperation>(
        _ operation: consuming Operation
    ) async throws(SessionStoreError) -> Operation.Outcome {
        while true {
            let replies = try await runParked(try operation.commands())
            if let outcome = try operation.take(replies, isRepeated: isRepeated) { return outcome }
        }
    }
}

/// A session on its way through ids that rotations replaced: the store itself cannot follow them, as it has no ids.
struct RedisHops {
    private(set) var session: SessionHandle
    private var count = 0

    /// How many rotations in a row an id may lag behind.
    static let limit = 8

    init(_ session: SessionHandle) {
        self.session = session
    }

    /// The id that the session has, if it is another than the one that was asked for.
    var successor: SessionID? { count == 0 ? nil : session.id }

    /// Goes on to the next id, by the rest of a reply `{'alias', now, a}`; false if it leads nowhere any more.
    mutating func follow(_ rest: ArraySlice<RESPValue>) throws(SessionStoreError) -> Bool {
        let (alias, now) = try RedisAlias.read(rest)
        count += 1
        guard count < Self.limit, now < alias.graceEnd, let next = alias.successor(of: session.id) else { return false }
        session = SessionHandle(next, lease: session.lease)
        return true
    }
}

extension RedisAlias {
    /// The rest of a reply `{'alias', now, a}`.
    static func read(_ rest: ArraySlice<RESPValue>) throws(SessionStoreError) -> (alias: RedisAlias, now: Int64) {
        guard rest.count == 2, let now = rest.first?.time, let bytes = rest.last?.bytes,
            let alias = RedisAlias(bytes)
        else { throw RedisStore.nonsense }
        return (alias, now)
    }
}

extension RESPValue {
    /// The reply of a script that begins with a word.
    func outcome() throws(SessionStoreError) -> (word: String, rest: ArraySlice<RESPValue>) {
        guard let reply = array, let word = reply.first?.text else { throw RedisStore.nonsense }
        if word == "form" { throw RedisMetadata.unknownForm(reply.dropFirst().first?.integer ?? 0) }
        return (word, reply.dropFirst())
    }
}
