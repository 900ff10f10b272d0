internal import GalletaPlatform
internal import RESP

/// One call on its way: which commands have their reply, and what to do about the others. Does nothing itself.
struct RedisCall {
    /// What comes next.
    enum Step {
        /// All replies are there.
        case done([RESPValue])
        /// Send what is left, to the same server.
        case again
        /// Send what is left to this server, which has the slot from now on.
        case moved(RedisAddress)
        /// Send what is left to this server, with `ASKING`, this time only.
        case ask(RedisAddress)
        /// Wait a little, then send what is left.
        case pause(RedisError)
        /// The server is not the one to write to: find that, then send what is left.
        case elsewhere(RedisError)
        case fail(RedisError)
    }

    let commands: [RedisCommand]
    /// Whether an error reply is the outcome of its own command only: the others are somebody else's.
    let failsApart: Bool
    private var replies: [RESPValue?]
    /// The errors of commands that failed apart.
    private var failures: [Int: RedisError] = [:]
    /// Indices of commands without reply.
    private var pending: [Int]
    private var hops = 0
    private var brokenConnections = 0
    /// Whether commands were sent again that a broken connection may have carried out: a reply is then one to the second
    /// time, perhaps, and an error leaves it open.
    private(set) var isRepeated = false

    /// A map that is wrong more often than this changes faster than it can be followed.
    static let hopLimit = 5

    /// A connection that breaks was idle for too long, the next one too; then it is the server.
    static let brokenLimit = 2

    init(_ commands: [RedisCommand], failsApart: Bool = false) {
        self.commands = commands
        self.failsApart = failsApart
        replies = Array(repeating: nil, count: commands.count)
        pending = Array(commands.indices)
    }

    /// The commands to send.
    var remaining: [RedisCommand] { pending.map { commands[$0] } }

    /// Whether some have been carried out, or may have been.
    private var isBegun: Bool { isRepeated || pending.count < commands.count }

    /// Takes the replies to ``remaining``.
    ///
    /// - Parameter address: Who has sent them.
    mutating func take(_ new: [RESPValue], from address: RedisAddress) -> Step {
        var later: [Int] = []
        var refusal: RedisError?
        for (index, reply) in zip(pending, new) {
            guard case .error(let text) = reply else {
                replies[index] = reply
                continue
            }
            let error = RedisError(reply: text, isScript: commands[index].script != nil).at(address)
            if failsApart, error.isReply, error.code != .notNow || Self.isLasting(text) {
                replies[index] = reply
                failures[index] = error.afterSending(isRepeated)
                continue
            }
            guard error.code == .notNow else {
                let isCarriedOut = isBegun || new.contains { !$0.isError }
                return .fail(error.afterSending(isCarriedOut))
            }
            later.append(index)
            if refusal == nil { refusal = error }
        }
        pending = later
        guard let refusal, let reply = refusal.reply else { return .done(replies.map { $0! }) }
        let error = refusal.afterSending(isBegun)
        switch reply.code {
        case "MOVED", "ASK":
            hops += 1
            guard hops <= Self.hopLimit else {
                return .fail(RedisError(.notNow, "redirected more than \(Self.hopLimit) times").afterSending(isBegun))
            }
            guard reply.words.count >= 2, let target = RedisAddress(announced: reply.words[1], by: address) else {
                return .fail(RedisError(.protocol, "redirected to an address that cannot be").afterSending(isBegun))
            }
            return reply.code == "MOVED" ? .moved(target) : .ask(target)
        case "READONLY", "MASTERDOWN":
            return .elsewhere(error)
        case _ where Self.isLasting(reply):
            return .fail(error)
        default:
            // While a slot is moved ASK and TRYAGAIN may come in turn: that is no map that is wrong, and ends by the deadline.
            hops = 0
            return .pause(error)
        }
    }

    /// Whether time does not mend it before the deadline.
    private static func isLasting(_ reply: RESPErrorReply) -> Bool {
        reply.code == "MISCONF" || reply.code == "NOREPLICAS"
    }

    /// What became of each command.
    ///
    /// - Parameter failure: What has become of those that have no reply; nil when all have one.
    func outcomes(_ failure: RedisError?) -> [Result<RESPValue, RedisError>] {
        replies.enumerated().map { index, reply in
            if let error = failures[index] { return .failure(error) }
            if let reply { return .success(reply) }
            return .failure(failure ?? RedisError(.protocol, "no reply"))
        }
    }

    /// What to do when there is no connection.
    func notConnected(_ error: RedisError) -> Step {
        let error = error.afterSending(isBegun)
        return error.code == .notNow ? .pause(error) : .fail(error)
    }

    /// What to do after an error of the connection.
    ///
    /// - Parameter isReused: Whether the connection was used before, so that the error may be that of an older fault.
    mutating func failed(_ error: RedisError, isReused: Bool) -> Step {
        brokenConnections += 1
        let isHarmless = !error.isOutcomeUnknown || (isReused && pending.allSatisfy { commands[$0].isRepeatable })
        guard error.code == .connection, isHarmless, brokenConnections <= Self.brokenLimit else {
            return .fail(error.afterSending(isBegun))
        }
        isRepeated = isRepeated || error.isOutcomeUnknown
        return .again
    }
}

extension RESPValue {
    fileprivate var isError: Bool {
        if case .error = self { true } else { false }
    }
}
