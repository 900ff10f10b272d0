internal import RESP
internal import Sessions

extension RedisProvider {
    /// Begins, changes, lists and ends a session of nobody's, and looks at the server's settings: what the ACL user may not do,
    /// and what would lose sessions, shows at the start and not at the first visitor's.
    ///
    /// - Returns: What an operator should change, a sentence each; empty if all is well.
    /// - Throws: `SessionStoreError` that says what is missing.
    public func check() throws -> [String] {
        // A script that the server has already would hide that it may not be sent.
        _ = try store.call().run(Self.evaluation.prefix(1).map { RedisCommand($0.0, $0.1, isRepeatable: true) })
        let id = SessionID.random()
        let user = SessionKey.user
        // Nobody's name.
        let name = "galleta check " + Base64URL.string(.reference())
        let draft = SessionDraft(
            values: try SessionValues([(user, .string(name + " at first")), (SessionKey("k"), .int(1))]),
            idleTimeout: .seconds(5), absoluteTimeout: .seconds(5))
        guard case .created(let lease) = try create(id, draft) else {
            return ["Redis has no room for another session (maxmemory); new ones are refused"]
        }
        let session = SessionHandle(id, lease: lease)
        var patch = SessionPatch()
        try patch.set(.int(2), for: SessionKey("k"))
        try patch.set(.string(name), for: user)
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
        _ = try sessions(of: ByteString(name), current: new, limit: 1)
        _ = try destroySessions(of: ByteString(name), except: nil, keeping: 0)
        _ = try destroy(SessionHandle(new))
        // Nobody has had the id.
        _ = try store.call().run([RedisCommand("DEL", [.bytes(store.keys.session(id.digest))], isRepeatable: true)])
        return remarks()
    }

    /// What is at fault when the check at the start has failed.
    struct Fault {
        /// The setting that an operator would change.
        var field = "url"
        let reason: String
        let remedy: String
    }

    /// - Returns: Nil for what may pass by itself, unless it is a trial.
    func fault(_ error: SessionStoreError, password: RedisPassword, isTrial: Bool) -> Fault? {
        guard let error = error.underlying as? RedisError else {
            return isTrial ? Fault(reason: error.message, remedy: "mend it there") : nil
        }
        if error.code == .configuration {
            if let fault = aclFault() { return fault }
            let isPassword = ["WRONGPASS", "NOAUTH", "ERR"].contains(error.reply?.code ?? "")
            return Fault(
                field: isPassword ? password.field : "url", reason: "the servers refuse it: \(error.message)",
                remedy: isPassword ? "give the password that they have" : "give what they take, or set them up for it")
        }
        guard isTrial else { return nil }
        let remedy =
            switch error.code {
            case .connection: "start Redis there, or give its address"
            case .timeout: "is it Redis, with TLS where the URL says so? Else raise the timeout"
            case .notNow: "is it the primary? Give that one, or sentinels"
            default: "mend it there"
            }
        return Fault(reason: "Redis cannot be used: \(error.message)", remedy: remedy)
    }

    private static let evaluation: [(String, [RedisArgument])] = [
        ("eval", ["return 1", 0]), ("evalsha", [.text(String(repeating: "0", count: 40)), 0]),
    ]

    /// What is wrong with the ACL user, with the remedy; nil if nothing is. Redis names neither commands nor keys when a script
    /// fails for them.
    private func aclFault() -> Fault? {
        let key = RedisArgument.bytes(store.keys.probe)
        let commands: [(String, [RedisArgument])] =
            Self.evaluation + [
                ("time", []), ("exists", [key]), ("hgetall", [key]), ("hget", [key, "x"]), ("hmget", [key, "x"]),
                ("hlen", [key]), ("hstrlen", [key, "x"]), ("hdel", [key, "x"]), ("pexpireat", [key, 1]),
                ("hset", [key, "x", "y"]), ("rename", [key, key]), ("del", [key]), ("zadd", [key, "XX", 1, "x"]),
                ("zrem", [key, "x"]), ("zrange", [key, 0, -1]), ("zremrangebyscore", [key, 0, 0]),
            ]
        var (missing, refusesKeys): ([String], Bool) = ([], false)
        if replicas != nil, refusal("WAIT", [0, 1]) != nil { missing.append("wait") }
        // One of a session, and one of a user: a pattern may allow the one alone.
        for key in [store.keys.probe, store.keys.session([UInt8](repeating: 0, count: 32))] {
            refusesKeys = refusesKeys || refusal("EXISTS", [.bytes(key)])?.contains("keys") ?? false
        }
        for (name, arguments) in commands {
            guard let text = refusal(name.uppercased(), arguments) else { continue }
            if !text.contains("one of the keys") { missing.append(name) }
        }
        if !missing.isEmpty {
            return Fault(
                reason: "the ACL user lacks permissions",
                remedy: "give it " + missing.map { "+" + $0 }.joined(separator: " "))
        }
        guard refusesKeys else { return nil }
        return Fault(reason: "the ACL user may not use the store's keys", remedy: "give it ~\(store.keys.pattern)")
    }

    /// What Redis says to a command that the user may not give; nil if it is not that.
    private func refusal(_ name: String, _ arguments: [RedisArgument]) -> String? {
        do throws(RedisError) {
            // Not longer: "no such script" is asked again until the deadline, as elsewhere it is to be.
            _ = try store.client.run(
                [RedisCommand(name, arguments, isRepeatable: true)], within: .milliseconds(100))
            return nil
        } catch {
            return error.reply?.code == "NOPERM" ? error.reply?.text : nil
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
