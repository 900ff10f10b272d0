internal import RESP
internal import Sessions

extension RedisProvider {
    /// Begins, changes, lists and ends a session of nobody's, and looks at the server's settings: what the ACL user may not do,
    /// and what would lose sessions, shows at the start and not at the first visitor's.
    ///
    /// - Returns: What an operator should change, a sentence each; empty if all is well.
    /// - Throws: `SessionStoreError` that says what is missing.
    public func check() throws -> [String] {
        let id = SessionID.random()
        let user = SessionKey.user
        let draft = SessionDraft(
            values: try SessionValues([(user, .string("galleta check")), (SessionKey("k"), .int(1))]),
            idleTimeout: .seconds(5), absoluteTimeout: .seconds(5))
        guard case .created(let lease) = try create(id, draft) else {
            return ["Redis has no room for another session (maxmemory); new ones are refused"]
        }
        let session = SessionHandle(id, lease: lease)
        var patch = SessionPatch()
        try patch.set(.int(2), for: SessionKey("k"))
        try patch.set(.string("galleta check again"), for: user)
        patch.remove(SessionKey("other"))
        patch.touches = true
        _ = try commit(patch, to: session, expecting: nil)
        var removal = SessionPatch()
        removal.remove(SessionKey("k"))
        _ = try commit(removal, to: session, expecting: nil)
        _ = try lookUp(session)
        _ = try touch(session)
        let new = SessionID.random()
        _ = try rotate(session, to: new, grace: .zero)
        _ = try sessions(of: "galleta check again", current: new, limit: 1)
        _ = try destroySessions(of: "galleta check again", except: nil, keeping: 0)
        _ = try destroy(SessionHandle(new))
        // Nobody has had the id.
        _ = try store.call().run([RedisCommand("DEL", [.bytes(store.keys.session(id.digest))], isRepeatable: true)])
        return remarks()
    }

    /// Commands that scripts use and the ACL user may not: Redis names none of them when a script fails.
    func missingPermissions() -> [String] {
        let key = RedisArgument.bytes(store.keys.probe)
        let commands: [(String, [RedisArgument])] = [
            ("time", []), ("exists", [key]), ("hgetall", [key]), ("hget", [key, "x"]), ("hmget", [key, "x"]),
            ("hlen", [key]), ("hstrlen", [key, "x"]), ("hdel", [key, "x"]), ("pexpireat", [key, 1]),
            ("hset", [key, "x", "y"]), ("rename", [key, key]), ("del", [key]), ("zadd", [key, "XX", 1, "x"]),
            ("zrem", [key, "x"]), ("zrange", [key, 0, -1]), ("zremrangebyscore", [key, 0, 0]),
        ]
        return commands.compactMap { name, arguments in
            do throws(RedisError) {
                _ = try store.client.run([RedisCommand(name.uppercased(), arguments, isRepeatable: true)])
                return nil
            } catch {
                return error.reply?.code == "NOPERM" ? name : nil
            }
        }
    }

    private func remarks() -> [String] {
        // What may not be asked is not known; that is no fault.
        let command = RedisCommand("CONFIG", ["GET", "maxmemory-policy"], isRepeatable: true)
        guard let reply = try? store.call().run([command]).first?.array, reply.count == 2, let policy = reply[1].text,
            policy != "noeviction"
        else { return [] }
        return [
            "Redis has maxmemory-policy \(policy): at its memory limit it throws away sessions of users; set it to noeviction"
        ]
    }
}
