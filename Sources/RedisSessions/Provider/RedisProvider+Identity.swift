internal import GalletaPlatform
internal import RESP
public import Sessions

extension RedisProvider {
    /// Removes the session. One round trip.
    public func destroy(_ session: SessionHandle) throws -> Bool {
        let call = store.call()
        var hops = RedisHops(session)
        while true {
            let session = hops.session
            let digest = session.digest
            let user = session.knownUser
            let keys = [store.keys.session(digest)] + (user.map { [store.keys.index($0)] } ?? [])
            let outcome = try call.outcome(
                RedisScripts.destroy, keys: keys, [.bytes(user?.digest ?? []), .bytes(digest)], reaching: replicas)
            switch outcome.word {
            case "destroyed":
                let rest = outcome.rest.compactMap(\.bytes)
                if rest.count == 2, let user = RedisUser(digest: rest[0]) {
                    // The session is gone; what is left of it in a list of its user's is only that.
                    let member: [RedisArgument] = [.bytes(store.keys.index(user)), .bytes(rest[1] + digest)]
                    _ = try call.run([RedisCommand("ZREM", member, isRepeatable: true)])
                }
                return true
            case "alias":
                guard try hops.follow(outcome.rest) else { return false }
            // Asked again after a lost answer: the first time has done it, perhaps, and it is done in any case.
            case "gone": return call.isRepeated
            default: throw RedisStore.nonsense
            }
        }
    }

    /// How often a session may change under a rotation that has to know its values.
    private static let rotationLimit = 100

    /// Gives the session a new id. One round trip; with encryption the values are sealed anew, and one more where others have
    /// changed some meanwhile.
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        let sealed = new.sealed(with: session.id)
        let (digest, newDigest) = (session.digest, new.digest)
        let call = store.call()
        var (user, base) = (session.knownUser, session.known)
        for _ in 0..<Self.rotationLimit {
            let (removals, entries) = sealedAnew(base, from: session.id, to: new)
            let keys =
                [store.keys.session(digest), store.keys.session(newDigest)]
                + (user.map { [store.keys.index($0)] } ?? [])
            let arguments: [RedisArgument] = [
                .bytes(sealed), .integer(grace > .zero ? grace.milliseconds : 0), .integer(RedisStore.retirement),
                .bytes(user?.digest ?? []), .bytes(digest), .bytes(newDigest),
                // What is sealed must be known to be sealed anew: no session has the version -1.
                store.encrypts ? .integer(base.map { Int64($0.version) } ?? -1) : "",
                .integer(Int64(removals.count)),
            ]
            let outcome = try call.outcome(RedisScripts.rotate, keys: keys, arguments + removals + entries)
            switch outcome.word {
            case "rotated":
                if var base {
                    base.id = new
                    base.digest = newDigest
                    session.redis?.update(base)
                }
                return .rotated
            case "taken": return .taken
            case "gone": return .gone
            case "user": user = outcome.rest.first?.bytes.flatMap(RedisUser.init(digest:))
            case "conflict":
                let rest = Array(outcome.rest)
                guard rest.count == 2, let now = rest[0].time, let entries = rest[1].array,
                    case .session(let metadata, let values) = try store.found(
                        entries, at: now, fields: store.fields(of: session.id))
                else { return .gone }
                base = RedisLease.Base(
                    id: session.id, digest: digest, version: metadata.version, values: values)
            case "alias":
                let (alias, now) = try RedisAlias.read(outcome.rest)
                guard now < alias.graceEnd,
                    case .found(let record) = try call.carryOut(RedisLookUp([session.id], store))[0]
                else { return .gone }
                return record.successor.map { .successor($0) } ?? .gone
            default: throw RedisStore.nonsense
            }
        }
        throw SessionStoreError(.unavailable, "the session changed again and again under its rotation")
    }

    /// The fields that the old id sealed, and what stands in their place under the new one.
    private func sealedAnew(
        _ base: RedisLease.Base?, from old: SessionID, to new: SessionID
    ) -> (removals: [RedisArgument], entries: [RedisArgument]) {
        guard store.encrypts, let base else { return ([], []) }
        let (before, after) = (store.fields(of: old), store.fields(of: new))
        var (removals, entries): ([RedisArgument], [RedisArgument]) = ([], [])
        base.values.forEachEncoded { key, value in
            let field = before.field(key)
            guard RedisFields.isSealed(field) else { return }
            removals.append(.bytes(field))
            entries.append(.bytes(after.field(key)))
            entries.append(.bytes(after.value(key, value)))
        }
        return (removals, entries)
    }
}
