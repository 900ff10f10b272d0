internal import GalletaPlatform
internal import RESP
internal import Sessions

/// A commit of a patch to one id, as the script wants it.
struct RedisCommitScript {
    let fields: RedisFields
    let patch: SessionPatch
    let session: SessionHandle
    private let store: RedisStore
    let digest: [UInt8]
    private let known: RedisLease.Base?
    private let bindsUser: Bool
    private let newUser: RedisUser?
    private let reference: [UInt8]
    private var removals: [[UInt8]] = []
    /// Fields and values, encoded.
    private var entries = RESPWriter()
    private var entryCount = 0

    init(_ patch: SessionPatch, to session: SessionHandle, store: RedisStore) {
        self.patch = patch
        self.session = session
        self.store = store
        fields = store.fields(of: session.id)
        digest = session.digest
        known = session.known
        let binding = patch.changes.last { $0.key == .user }
        bindsUser = binding != nil
        let encrypts = store.encrypts
        newUser = binding?.value?.name.map(RedisUser.init)
        reference = newUser == nil ? [] : .reference()
        for change in patch.changes {
            let key = change.key
            let field = fields.field(key)
            change.withEncodedValue { value in
                guard let value else {
                    removals.append(field)
                    return
                }
                entryCount += 2
                entries.bulk(field)
                if encrypts { entries.bulk(fields.value(key, value)) } else { entries.bulk(value) }
            }
        }
    }

    /// Whether the index of the user that the session has had is concerned.
    private var concernsUser: Bool { bindsUser || patch.lifetime != nil }

    func command(_ nonce: [UInt8], expecting version: UInt64?, _ user: RedisUser?) -> RedisCommand {
        var keys = [store.keys.session(digest)]
        if concernsUser, let user { keys.append(store.keys.index(user)) }
        if let newUser { keys.append(store.keys.index(newUser)) }
        let lifetime = patch.lifetime
        let count = keys.count + 14 + removals.count + entryCount
        return RedisCommand(RedisScripts.commit, keys: keys.count, count: count, isRepeatable: true) { writer in
            for key in keys { writer.bulk(key) }
            writer.bulk(nonce)
            writer.bulk(optional: version.map { Int64(truncatingIfNeeded: $0) })
            writer.bulk(patch.touches ? "1" : "0")
            writer.bulk(Int64(patch.limits.bytes))
            writer.bulk(Int64(patch.limits.keys))
            writer.bulk(optional: known.map { Int64(truncatingIfNeeded: $0.version) })
            writer.bulk(optional: lifetime?.idleTimeout.milliseconds)
            writer.bulk(optional: lifetime?.absoluteTimeout.milliseconds)
            writer.bulk(bindsUser ? (newUser == nil ? "-" : "+") : "")
            writer.bulk(concernsUser ? user?.digest ?? [] : [])
            writer.bulk(newUser?.digest ?? [])
            writer.bulk(reference)
            writer.bulk(digest)
            writer.bulk(Int64(removals.count))
            for field in removals { writer.bulk(field) }
            writer.bytes += entries.bytes
        }
    }

    /// The outcome of a reply "ok".
    func committed(
        _ rest: [RESPValue], successor: SessionID?
    ) throws(SessionStoreError) -> SessionCommitOutcome {
        guard let number = rest.first?.time else { throw RedisStore.nonsense }
        let version = UInt64(number)
        var values: SessionValues?
        if rest.count == 3, let now = rest[1].time, let entries = rest[2].array {
            if case .session(_, let stored) = try store.found(entries, at: now, fields: fields) { values = stored }
        } else if let known {
            values = try? known.values.applying(patch, limits: SessionLimits(bytes: .max, keys: .max))
        }
        if let values {
            session.redis?.update(
                RedisLease.Base(id: session.id, digest: digest, version: version, values: values))
        }
        return .committed(version: version, values: values, successor: successor)
    }
}

extension RESPWriter {
    /// A number, or an empty text for none.
    fileprivate mutating func bulk(optional number: Int64?) {
        if let number { bulk(number) } else { bulk([]) }
    }
}
