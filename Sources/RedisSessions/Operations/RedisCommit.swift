internal import GalletaPlatform
internal import RESP
internal import Sessions

/// Makes a patch's changes.
struct RedisCommit: RedisOperation {
    private let store: RedisStore
    private let patch: SessionPatch
    private let expected: UInt64?
    private let nonce: [UInt8]
    private var hops: RedisHops
    private var script: RedisCommitScript
    /// Whom the session is thought to belong to.
    private var user: RedisUser?
    private var attempts = 0

    /// How often a session's user may change under a commit that changes it.
    private static let attemptLimit = 8

    private static var unknownOutcome: SessionStoreError {
        SessionStoreError(
            .unavailable, "a connection to Redis broke under a commit, and whether it was made cannot be told any more",
            underlying: RedisError(.connection, "the connection broke").afterSending())
    }

    init(_ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?, _ store: RedisStore) {
        (self.store, self.patch, expected) = (store, patch, version)
        nonce = store.nonce()
        hops = RedisHops(session)
        script = RedisCommitScript(patch, to: session, store: store)
        user = session.knownUser
    }

    func commands() -> [RedisCommand] { [script.command(nonce, expecting: expected, user)] }

    mutating func take(_ replies: [RESPValue], isRepeated: Bool) throws(SessionStoreError) -> SessionCommitOutcome? {
        guard let reply = replies.first else { throw RedisStore.nonsense }
        let (word, words) = try reply.outcome()
        let rest = Array(words)
        switch word {
        case "ok":
            return try script.committed(rest, successor: hops.successor)
        case "conflict":
            guard rest.count == 2, let now = rest[0].time, let entries = rest[1].array,
                case .session(let metadata, let values) = try store.found(entries, at: now, fields: script.fields)
            else { return .gone }
            // The first time may have made the change, and another request the next: nobody shall make it again.
            guard !isRepeated else { throw Self.unknownOutcome }
            return .conflict(
                store.record(
                    metadata, values, of: hops.session.id, script.digest, at: now, successor: hops.successor))
        case "over":
            return .overLimit(try overLimit(rest.compactMap(\.time).map(Int.init)))
        case "emptied": return .emptied
        case "gone": return .gone
        case "alias":
            guard try hops.follow(words) else { return .gone }
            script = RedisCommitScript(patch, to: hops.session, store: store)
            (user, attempts) = (hops.session.knownUser, 0)
            return nil
        case "user":
            // Another request has logged in or out since the look-up.
            user = rest.first?.bytes.flatMap(RedisUser.init(digest:))
            attempts += 1
            guard attempts < Self.attemptLimit else {
                throw SessionStoreError(.unavailable, "the session's user changed again and again under a commit")
            }
            return nil
        default:
            throw RedisStore.nonsense
        }
    }

    private func overLimit(_ counts: [Int]) throws(SessionStoreError) -> SessionError {
        guard counts.count == 4 else { throw RedisStore.nonsense }
        do throws(SessionError) {
            try patch.limits.check(bytes: counts[0], keys: counts[1], insteadOf: (bytes: counts[2], keys: counts[3]))
        } catch {
            return error
        }
        throw RedisStore.nonsense
    }
}
