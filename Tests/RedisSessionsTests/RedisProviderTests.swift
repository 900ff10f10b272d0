import Foundation
import GalletaPlatform
import Logging
import RedisSessions
import Sessions
import TestSupport
import Testing

@Suite("Sessions in Redis", .blocking)
struct RedisProviderTests {
    private let fixtures: RedisFixtures
    private let provider: RedisProvider
    private let name: String

    init() throws {
        fixtures = try RedisFixtures()
        let configuration = fixtures.configuration()
        name = configuration.name
        provider = try RedisProvider(configuration: configuration)
    }

    private var server: RedisServer { fixtures.server }

    private func draft(
        _ values: [(SessionKey, SessionValue)] = [(SessionKey("k"), .int(1))], user: ByteString? = nil,
        idle: Duration = .seconds(100)
    ) throws -> SessionDraft {
        SessionDraft(
            values: try SessionValues(values + (user.map { [(.user, .name($0))] } ?? [])), idleTimeout: idle,
            absoluteTimeout: .seconds(1_000))
    }

    @discardableResult
    private func create(
        _ values: [(SessionKey, SessionValue)] = [(SessionKey("k"), .int(1))], user: ByteString? = nil,
        idle: Duration = .seconds(100)
    ) throws -> SessionID {
        let id = SessionID.random()
        guard case .created = try provider.create(id, draft(values, user: user, idle: idle)) else {
            throw TestFailure(description: "not created")
        }
        return id
    }

    private func patch(_ value: SessionValue, for key: SessionKey = SessionKey("k")) throws -> SessionPatch {
        var patch = SessionPatch()
        try patch.set(value, for: key)
        return patch
    }

    private var keys: [String] {
        get throws { try server.cli("KEYS", "*").split(separator: "\n").map(String.init) }
    }

    // MARK: What is in the store

    @Test("have an expiry on every key, whatever was done to them")
    func expiries() throws {
        let ids = try (0..<6).map { try create(user: $0 % 2 == 0 ? "ada" : nil) }
        _ = try provider.commit(patch(2), to: ids[0], expecting: nil)
        _ = try provider.touch(ids[1])
        _ = try provider.rotate(ids[2], to: .random(), grace: .seconds(10))
        _ = try provider.rotate(ids[3], to: .random(), grace: .zero)
        _ = try provider.commit(patch(.string("bob"), for: .user), to: ids[4], expecting: nil)
        _ = try provider.destroy(ids[5])
        var lifetime = SessionPatch()
        lifetime.lifetime = SessionLifetime(idleTimeout: .seconds(5), absoluteTimeout: .seconds(9))
        _ = try provider.commit(lifetime, to: ids[0], expecting: nil)
        let keys = try keys
        #expect(keys.count >= 8)
        for key in keys {
            let milliseconds = try #require(Int(try server.cli("PTTL", key)))
            #expect(milliseconds > 0 && milliseconds <= 3_600_000, "\(key) \(milliseconds)")
            #expect(key.hasPrefix("{\(name)}:"))
        }
    }

    @Test("let a user's index end with the last of the user's sessions, not with the one written last")
    func indexExpiry() throws {
        try create(user: "ada")
        let short = SessionID.random()
        _ = try provider.create(
            short,
            SessionDraft(
                values: try SessionValues([(.user, .string("ada"))]), idleTimeout: .seconds(2),
                absoluteTimeout: .seconds(2)))
        let index = try #require(try keys.first { $0.contains(":u:") })
        #expect(try #require(Int(try server.cli("PTTL", index))) > 900_000)
    }

    @Test("are small: three values and a user stay in Redis's compact form")
    func compact() throws {
        try create(
            [
                (SessionKey("cart"), .string("7,12,4")), (SessionKey("n"), .int(42)),
                (SessionKey("theme"), .string("dark")),
            ],
            user: "ada")
        for key in try keys { #expect(try server.cli("OBJECT", "ENCODING", key) == "listpack", "\(key)") }
    }

    @Test("drop what has ended from a user's index, at the next log-in by time and at the next list by looking")
    func sweep() throws {
        for _ in 0..<5 { try create(user: "ada", idle: .milliseconds(50)) }
        let kept = try create(user: "ada")
        let index = try #require(try keys.first { $0.contains(":u:") })
        // Redis lets a key go a millisecond after its session has ended: the list that finds it gone takes it off.
        let isSwept = try eventually {
            try provider.sessions(of: "ada", current: nil, limit: 9).total == 1 && server.cli("ZCARD", index) == "1"
        }
        #expect(isSwept)
        #expect(try provider.sessions(of: "ada", current: kept, limit: 9).sessions.map(\.isCurrent) == [true])
        try server.cli("ZADD", index, "1", String(repeating: "x", count: 48))
        try create(user: "ada")
        #expect(try server.cli("ZCARD", index) == "2", "an entry of the past is gone")
    }

    @Test("that make no sense are gone, say so in the log, and are left where they are")
    func damaged() throws {
        let log = CapturedLog()
        var configuration = fixtures.configuration()
        configuration.logger = Logger(label: "redis") { _ in log }
        let provider = try RedisProvider(configuration: configuration)
        let id = SessionID.random()
        _ = try provider.create(id, draft())
        let key = try #require(try keys.first { $0.hasPrefix("{\(configuration.name)}:s:") })
        try server.cli("HSET", key, "=k", "zzz")
        #expect(try provider.read(id) == nil)
        #expect(eventually { log.text.contains("makes no sense") })
        #expect(try server.cli("EXISTS", key) == "1")
    }

    @Test("of a later form are an error, not a log-out")
    func laterForm() throws {
        let id = try create()
        let key = try #require(try keys.first { $0.contains(":s:") })
        try server.cli("HSET", key, "m", "\u{2}later")
        #expect(throws: SessionStoreError.self) { try provider.read(id) }
        #expect(throws: SessionStoreError.self) { try provider.touch(id) }
        #expect(throws: SessionStoreError.self) { try provider.commit(patch(2), to: id, expecting: nil) }
        #expect(try server.cli("EXISTS", key) == "1")
    }

    @Test("of a store with another encryptsValues are an error that names it, and are kept", arguments: [true, false])
    func mixedEncryption(isEncrypted: Bool) throws {
        let configuration = fixtures.configuration { $0.encryptsValues = isEncrypted }
        let owner = try RedisProvider(configuration: configuration)
        let id = SessionID.random()
        _ = try owner.create(id, draft(user: "ada"))
        var other = configuration
        other.encryptsValues = !isEncrypted
        let stranger = try RedisProvider(configuration: other)
        let error = #expect(throws: SessionStoreError.self) { try stranger.read(id) }
        #expect(error?.message.contains("encryptsValues") == true)
        #expect(try owner.read(id)?.values["k"] == 1)
    }

    @Test("with numbers that no script has written are gone, and crash nobody", arguments: [1, 9, 17, 25, 33])
    func hostileNumbers(offset: Int) throws {
        let id = try create()
        let key = try #require(try keys.first { $0.contains(":s:") })
        let script = """
            local m = redis.call('HGET', KEYS[1], 'm')
            m = string.sub(m, 1, \(offset)) .. string.rep(string.char(128), 8) .. string.sub(m, \(offset + 9))
            return redis.call('HSET', KEYS[1], 'm', m)
            """
        try server.cli("EVAL", script, "1", key)
        #expect(try provider.read(id) == nil)
        let replaced = try create()
        _ = try provider.rotate(replaced, to: .random(), grace: .zero)
        for key in try keys where try server.cli("HEXISTS", key, "a") == "1" {
            try server.cli(
                "EVAL",
                "local a = redis.call('HGET', KEYS[1], 'a') return redis.call('HSET', KEYS[1], 'a', "
                    + "string.rep(string.char(128), 16) .. string.sub(a, 17))", "1", key)
        }
        #expect(try provider.read(replaced) == nil && provider.retirement(of: replaced) == nil)
    }

    @Test("of a user end everywhere, be one of them damaged")
    func damagedAmongOthers() throws {
        let ids = try (0..<3).map { _ in try create(user: "ada") }
        let key = try #require(try keys.first { $0.contains(":s:") })
        try server.cli("HSET", key, "m", "\u{1}xx")
        #expect(try provider.destroySessions(of: "ada", except: nil, keeping: 0) == 2)
        for id in ids { #expect(try provider.read(id) == nil) }
        #expect(try provider.sessions(of: "ada", current: nil, limit: 9).total == 0)
    }

    @Test("of a store whose name looks like a pattern are listed, and no others")
    func patternNames() throws {
        for name in ["shop[-]b", "shop-b", "shop*", "sh?p"] {
            let configuration = fixtures.configuration { $0.name = name }
            let provider = try RedisProvider(configuration: configuration)
            _ = try provider.create(.random(), draft())
        }
        for name in ["shop[-]b", "shop-b", "shop*", "sh?p"] {
            let provider = try RedisProvider(configuration: fixtures.configuration { $0.name = name })
            var (count, position): (Int, SessionListPosition?) = (0, nil)
            repeat {
                let page = try provider.sessions(from: position, limit: 100)
                (count, position) = (count + page.sessions.count, page.next)
            } while position != nil
            #expect(count == 1, "\(name)")
        }
    }

    @Test("show no value and no key's name in the store when they are encrypted, only whose they are")
    func encrypted() throws {
        let configuration = fixtures.configuration { $0.encryptsValues = true }
        let provider = try RedisProvider(configuration: configuration)
        let id = SessionID.random()
        let secret = [
            (SessionKey("medicine"), SessionValue.string("confidential")), (SessionKey.client, .string("Firefox")),
        ]
        _ = try provider.create(id, draft(secret, user: "ada"))
        _ = try provider.commit(patch(.string("confidential too"), for: SessionKey("illness")), to: id, expecting: nil)
        let new = SessionID.random()
        _ = try provider.rotate(id, to: new, grace: .zero)
        let fields = try keys.filter { $0.contains(configuration.name) && $0.contains(":s:") }
            .map { try server.cli("--no-raw", "HGETALL", $0) }.joined()
        #expect(fields.contains("ada") && fields.contains("Firefox"))
        for word in ["medicine", "illness", "confidential"] { #expect(!fields.contains(word), "\(word)") }
        #expect(try provider.read(new)?.values["medicine"] == "confidential")
        #expect(try provider.read(new)?.values["illness"] == "confidential too")
        let list = try provider.sessions(of: "ada", current: new, limit: 5)
        #expect(list.sessions.map(\.client) == ["Firefox"])
    }

    // MARK: Round trips

    @Test("cost one script to look up, found or not, by one id or by 32 in one round trip, and one to commit")
    func roundTrips() throws {
        let manager = try SessionManager(provider: provider)
        let first = manager.open(SessionIDCandidates(), isSecure: false)
        try first.set("n", 1)
        _ = try first.commit()
        let id = try create([(SessionKey("n"), .int(1))])
        // Scripts call commands of their own, which count, too: so round trips are the client's word.
        func trips(_ body: () throws -> Void) throws -> Int {
            let before = provider.clientStatistics.roundTrips
            try body()
            return provider.clientStatistics.roundTrips - before
        }
        let open = { (ids: [SessionID]) in
            var candidates = SessionIDCandidates()
            for id in ids { candidates.add(id) }
            return manager.open(candidates, isSecure: false)
        }
        #expect(try trips { _ = try open([id]).get("n", as: Int.self) } == 1)
        #expect(try trips { _ = try open([.random()]).get("n", as: Int.self) } == 1)
        #expect(try trips { _ = try open((0..<32).map { _ in .random() }).get("n", as: Int.self) } == 1)
        #expect(try trips { _ = open([id]) } == 0, "a route that does not touch the session")
        #expect(
            try trips {
                let session = open([id])
                _ = try session.get("n", as: Int.self)
                _ = try session.commit()
            } == 1, "nothing is due")
        #expect(
            try trips {
                let session = open([id])
                _ = try session.update("n", default: 0) { $0 += 1 }
                _ = try session.commit()
            } == 2)
        #expect(
            try trips {
                let session = open([id])
                try session.set("a", 1)
                try session.set("b", 2)
                _ = try session.commit()
            } == 2)
        #expect(
            try trips {
                let session = open([])
                try session.set("a", 1)
                _ = try session.commit()
            } == 1)
    }

    @Test("are changed once by a call that is asked again, when the answer to the first was lost")
    func nonce() throws {
        let proxy = try RedisProxy(to: server)
        var configuration = fixtures.configuration()
        configuration.url = "unix://\(proxy.socket)"
        configuration.connections = 1
        let provider = try RedisProvider(configuration: configuration)
        let id = SessionID.random()
        _ = try provider.create(id, draft([(SessionKey("k"), .int(0))]))
        for step in 1...20 {
            // The server does it, and the reply is cut: the client's next connection asks again.
            proxy.mode = .cut(afterReplyBytes: step % 3)
            let back = Locked(false)
            let thread = try SystemThread(name: "heal") {
                _ = eventually { proxy.openConnections == 0 || back.withLock { $0 } }
                proxy.mode = .forward
            }
            let outcome = Result { try provider.commit(patch(.int(Int64(step))), to: id, expecting: UInt64(step - 1)) }
            back.withLock { $0 = true }
            _ = thread.join(timeout: nil)
            proxy.mode = .forward
            switch outcome {
            case .success(.committed(let version, _, _)): #expect(version == UInt64(step))
            case .success(let other): Issue.record("step \(step): \(other)")
            case .failure:
                // Given up; what the store has is one change or none.
                let version = try #require(try provider.read(id)).version
                #expect(version == UInt64(step) || version == UInt64(step - 1))
                if version == UInt64(step - 1) {
                    _ = try provider.commit(patch(.int(Int64(step))), to: id, expecting: version)
                }
            }
        }
        #expect(try provider.read(id)?.version == 20)
    }

    @Test("are not counted twice: a commit that is asked again after another one does not know, and says so")
    func repeatedConflict() throws {
        let proxy = try RedisProxy(to: server)
        var configuration = fixtures.configuration { $0.name = name }
        configuration.url = "unix://\(proxy.socket)"
        configuration.connections = 1
        let other = try RedisProvider(configuration: configuration)
        let id = try create()
        proxy.mode = .holdReplies
        let outcome = Locked<Result<SessionCommitOutcome, any Error>?>(nil)
        let change = try patch(2)
        let thread = try SystemThread(name: "commit") {
            let result = Result { try other.commit(change, to: id, expecting: 0) }
            outcome.withLock { $0 = result }
        }
        #expect(try eventually { try provider.read(id)?.version == 1 })
        _ = try provider.commit(patch(3), to: id, expecting: 1)
        proxy.closeAll()
        proxy.mode = .forward
        #expect(thread.join(timeout: .seconds(20)))
        let error = #expect(throws: SessionStoreError.self) { try outcome.withLock { try $0?.get() } }
        #expect((error?.underlying as? RedisError)?.isOutcomeUnknown == true)
        #expect(try provider.read(id)?.version == 2)
        // By the one who has ended it, too.
        proxy.mode = .holdReplies
        let isDestroyed = Locked<Bool?>(nil)
        let end = try SystemThread(name: "end") {
            let result = try? other.destroy(id)
            isDestroyed.withLock { $0 = result }
        }
        #expect(try eventually { try provider.read(id) == nil })
        proxy.closeAll()
        proxy.mode = .forward
        #expect(end.join(timeout: .seconds(20)))
        #expect(isDestroyed.withLock { $0 } == true)
    }

    @Test("take no longer than the time limit in all, however many round trips a call takes")
    func deadline() throws {
        let proxy = try RedisProxy(to: server)
        var configuration = fixtures.configuration { $0.name = name }
        configuration.url = "unix://\(proxy.socket)"
        configuration.timeout = .milliseconds(400)
        let slow = try RedisProvider(configuration: configuration)
        let id = try create(user: "ada")
        proxy.mode = .delay(.milliseconds(250))
        #expect(try slow.read(id) != nil)
        let error = #expect(throws: SessionStoreError.self) { try slow.sessions(of: "ada", current: id, limit: 1) }
        #expect((error?.underlying as? RedisError)?.code == .timeout)
    }

    // One thread's work, and minutes of it under the thread sanitizer.
    @Test(
        "can be read again that hold as much as the provider says, encrypted or not",
        .enabled(if: !FaultTime.isSanitized), arguments: [false, true])
    func largest(isEncrypted: Bool) throws {
        var configuration = fixtures.configuration { $0.encryptsValues = isEncrypted }
        configuration.timeout = .seconds(60)
        let provider = try RedisProvider(configuration: configuration)
        let limits = try #require(provider.traits.limits)
        let id = SessionID.random()
        _ = try provider.create(id, draft())
        var patch = SessionPatch()
        patch.limits = limits
        let bytes = limits.bytes / limits.keys - 12
        for number in 1..<limits.keys {
            try patch.set(.bytes([UInt8](repeating: 7, count: bytes)), for: SessionKey("\(100_000 + number)"))
        }
        guard case .committed = try provider.commit(patch, to: id, expecting: nil) else {
            Issue.record("not committed")
            return
        }
        let values = try #require(try provider.read(id)?.values)
        #expect(values.count == limits.keys && values.byteCount > limits.bytes * 9 / 10)
    }

    // MARK: Limits of the server

    @Test("are not begun and not enlarged when Redis has no room, but touched, made smaller, rotated, ended and read")
    func outOfMemory() throws {
        let id = try create(user: "ada")
        let other = try create([(SessionKey("k"), .string("long")), (SessionKey("l"), .int(1))], user: "ada")
        try server.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
        try server.cli("CONFIG", "SET", "maxmemory", "1mb")
        guard case .full = try provider.create(.random(), draft()) else {
            Issue.record("a session began without room")
            return
        }
        let error = #expect(throws: SessionStoreError.self) {
            try provider.commit(patch(.string(String(repeating: "x", count: 500))), to: id, expecting: nil)
        }
        #expect(error?.reason == .full && error?.message.contains("maxmemory") == true)
        #expect(try provider.read(id)?.values["k"] == 1, "the old data are intact")
        #expect(try provider.touch(id) != .gone)
        #expect(try provider.sessions(of: "ada", current: id, limit: 1).total == 2)

        // A visit, a lifetime, a value less, a shorter one, no user any more.
        var smaller: [SessionPatch] = [SessionPatch(), SessionPatch(), SessionPatch(), try patch("s"), SessionPatch()]
        smaller[0].touches = true
        smaller[1].lifetime = SessionLifetime(idleTimeout: .seconds(50), absoluteTimeout: .seconds(500))
        smaller[2].remove(SessionKey("l"))
        smaller[4].remove(.user)
        for (number, patch) in smaller.enumerated() {
            guard case .committed = try provider.commit(patch, to: other, expecting: nil) else {
                Issue.record("\(number): not committed")
                continue
            }
        }
        #expect(try provider.read(other)?.values["k"] == "s")
        #expect(try provider.sessions(of: "ada", current: id, limit: 1).total == 1)
        let rotated = SessionID.random()
        guard case .rotated = try provider.rotate(other, to: rotated, grace: .zero) else {
            Issue.record("not rotated")
            return
        }
        #expect(try provider.destroy(rotated))

        #expect(try provider.destroy(id))
        try server.cli("CONFIG", "SET", "maxmemory", "0")
        _ = try create()
    }

    @Test("work as before when the scripts are flushed")
    func flushedScripts() throws {
        let id = try create()
        try server.cli("SCRIPT", "FLUSH")
        #expect(try provider.read(id) != nil)
        try server.cli("SCRIPT", "FLUSH")
        guard case .committed = try provider.commit(patch(2), to: id, expecting: nil) else {
            Issue.record("not committed")
            return
        }
    }

    // MARK: The start

    private func refusal(_ adjust: (inout RedisProvider.Configuration) -> Void) -> ConfigurationError? {
        do {
            try RedisProvider(configuration: fixtures.configuration(adjust)).close()
            return nil
        } catch {
            return error as? ConfigurationError
        }
    }

    /// The least that an ACL user must be allowed, as the article says.
    static let permissions = [
        "resetkeys", "~{NAME}:*", "-@all", "+ping", "+role", "+eval", "+evalsha", "+time", "+exists", "+hgetall",
        "+hget",
        "+hmget", "+hset", "+hdel", "+hlen", "+hstrlen", "+del", "+rename", "+pexpireat", "+zadd", "+zrem", "+zrange",
        "+zremrangebyscore",
    ]

    @Test(
        "are refused at the start to a user who may not do something, by the name of it; what the article allows suffices"
    )
    func permissions() throws {
        let configure = { (permissions: [String]) in
            let name = "acl\(UInt64.random(in: 0 ... .max))"
            try server.cli(
                ["ACL", "SETUSER", name, "reset", "on", ">secret"]
                    + permissions.map { $0.replacing("NAME", with: name) })
            return { (configuration: inout RedisProvider.Configuration) in
                configuration.url = "unix://\(name):secret@\(server.socket)"
                configuration.name = name
            }
        }
        #expect(refusal(try configure(Self.permissions)) == nil)
        for permission in Self.permissions.dropFirst(5).filter({ $0 != "+eval" }) {
            let error = refusal(try configure(Self.permissions.filter { $0 != permission }))
            #expect(error?.field == "url", "\(permission)")
            let command = permission.dropFirst()
            #expect(error?.description.contains(command) == true, "\(permission): \(error?.description ?? "")")
        }
        let keys = refusal(try configure(Self.permissions.map { $0 == "~{NAME}:*" ? "~other*" : $0 }))
        #expect(keys?.field == "url")
    }

    @Test("are refused at the start with a wrong password or user, and the password is not repeated")
    func passwords() throws {
        try server.cli("CONFIG", "SET", "requirepass", "right")
        for url in [
            "unix://:wr0ng@\(server.socket)", "unix://nobody:wr0ng@\(server.socket)", "unix://\(server.socket)",
        ] {
            let error = refusal { $0.url = url }
            #expect(error?.field == "url", "\(url)")
            #expect(error?.description.contains("wr0ng") == false)
        }
        let file = server.folder.file("password")
        try "right\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(refusal { $0.passwordFile = file } == nil)
        #expect(refusal { $0.url = "unix://:right@\(server.socket)" } == nil)
        #expect(
            refusal {
                $0.url = "unix://:right@\(server.socket)"; $0.passwordFile = file
            }?.field == "passwordFile")
    }

    @Test("wait for a server that is not there yet, and are there when it is")
    func later() throws {
        server.kill()
        let log = CapturedLog()
        var configuration = fixtures.configuration()
        configuration.logger = Logger(label: "redis") { _ in log }
        configuration.timeout = .milliseconds(250)
        let provider = try RedisProvider(configuration: configuration)
        #expect(log.text.contains("sessions cannot be kept for the moment"))
        #expect(throws: SessionStoreError.self) { try provider.read(.random()) }
        configuration.isTrial = true
        let trial = #expect(throws: ConfigurationError.self) { try RedisProvider(configuration: configuration) }
        #expect(trial?.field == "url", "--check-config says so")
        try server.restart(keepingData: false)
        let isBack = eventually {
            do {
                _ = try provider.read(.random())
                return true
            } catch {
                return false
            }
        }
        #expect(isBack)
    }

    @Test("warn of a server that throws sessions away at its memory limit")
    func policy() throws {
        #expect(try provider.check().isEmpty)
        try server.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        let remarks = try provider.check()
        #expect(remarks.count == 1 && remarks[0].contains("allkeys-lru") && remarks[0].contains("noeviction"))
    }

    @Test("leave nothing of the check at the start behind")
    func checkLeavesNothing() throws {
        _ = try provider.check()
        #expect(try keys.isEmpty)
    }

    @Test(
        "name a parameter that cannot be, and its remedy",
        arguments: [
            ("nonsense", "1", "no such parameter"), ("url", "http://x", "redis://"), ("timeout", "soon", "digits"),
            ("timeout", "0", "within"), ("connections", "0", "within"), ("isCluster", "perhaps", "true nor false"),
            ("name", "a{b", "braces"), ("replicasOfLogOuts", "0", "within"), ("passwordFile", "/nowhere", "/nowhere"),
            ("passwordEnvironment", "GALLETA_NOT_SET", "not set"),
        ])
    func parameters(name: String, value: String, text: String) {
        RedisProvider.register()
        var parameters = ["url": "unix://\(server.socket)"]
        parameters[name] = value
        let error = #expect(throws: ConfigurationError.self) {
            try SessionProviders.make("redis", options: SessionProviderOptions(parameters: parameters))
        }
        #expect(error?.field == name)
        #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }

    @Test("log that a log-out has not reached as many replicas as it should")
    func replicas() throws {
        let log = CapturedLog()
        var configuration = fixtures.configuration { $0.replicasOfLogOuts = 1 }
        configuration.replicaTimeout = .milliseconds(20)
        configuration.logger = Logger(label: "redis") { _ in log }
        let provider = try RedisProvider(configuration: configuration)
        let id = SessionID.random()
        _ = try provider.create(id, draft())
        #expect(try provider.destroy(id))
        #expect(eventually { log.text.contains("fewer replicas") })
    }

    @Test(
        "are ended for replicas, too: the wait goes with what ends them, over one connection, also after SCRIPT FLUSH")
    func replicaWait() throws {
        let server = try RedisServer(["repl-diskless-sync-delay 0"], hasPort: true)
        let port = try #require(server.port)
        let replica = try RedisServer(["replicaof 127.0.0.1 \(port)"])
        #expect(try eventually { try server.info("slave0")?.contains("state=online") == true })
        let log = CapturedLog()
        var configuration = fixtures.configuration { $0.replicasOfLogOuts = 1 }
        configuration.url = "unix://\(server.socket)"
        configuration.replicaTimeout = .seconds(5)
        configuration.logger = Logger(label: "redis") { _ in log }
        let provider = try RedisProvider(configuration: configuration)
        for number in 0..<10 {
            let id = SessionID.random()
            _ = try provider.create(id, draft(user: "ada"))
            if number % 3 == 0 { try server.cli("SCRIPT", "FLUSH") }
            let handle = SessionHandle(id)
            guard case .found(let record) = try provider.lookUp(handle) else { continue }
            let before = provider.clientStatistics.roundTrips
            if number < 5 {
                #expect(try provider.destroy(SessionHandle(id, lease: record.lease)))
                #expect(provider.clientStatistics.roundTrips - before == (number % 3 == 0 ? 2 : 1))
            } else {
                #expect(try provider.destroySessions(of: "ada", except: nil, keeping: 0) == 1)
            }
            #expect(try replica.cli("KEYS", "*:s:*").isEmpty)
        }
        #expect(!log.text.contains("fewer replicas"))
    }
}
