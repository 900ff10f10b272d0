internal import GalletaPlatform
internal import RESP
internal import Sessions

/// Begins a session.
struct RedisCreate: RedisOperation {
    private let id: SessionID
    private let draft: SessionDraft
    private let digest: [UInt8]
    private let command: RedisCommand

    init(_ id: SessionID, _ draft: SessionDraft, _ store: RedisStore) {
        (self.id, self.draft) = (id, draft)
        digest = id.digest
        let user = draft.values.user.map(RedisUser.init)
        let fields = store.fields(of: id)
        var arguments: [RedisArgument] = [
            .bytes(store.nonce()), .integer(draft.idleTimeout.milliseconds),
            .integer(draft.absoluteTimeout.milliseconds),
            .integer(Int64(draft.values.byteCount)), .integer(Int64(draft.values.count)),
            .bytes(user?.digest ?? []), .bytes(user == nil ? [] : .reference()), .bytes(digest),
        ]
        draft.values.forEachEncoded { key, value in
            arguments.append(.bytes(fields.field(key)))
            arguments.append(.bytes(fields.value(key, value)))
        }
        let keys = [store.keys.session(digest)] + (user.map { [store.keys.index($0)] } ?? [])
        command = RedisCommand(
            RedisScripts.create, keys: keys.map { .bytes($0) }, arguments: arguments, isRepeatable: true)
    }

    func commands() -> [RedisCommand] { [command] }

    func take(_ replies: [RESPValue], isRepeated: Bool) throws(SessionStoreError) -> SessionCreation? {
        guard let reply = replies.first else { throw RedisStore.nonsense }
        switch try reply.outcome().word {
        case "created":
            return .created(
                lease: RedisLease(RedisLease.Base(id: id, digest: digest, version: 0, values: draft.values)))
        case "exists": return .exists
        default: throw RedisStore.nonsense
        }
    }
}
