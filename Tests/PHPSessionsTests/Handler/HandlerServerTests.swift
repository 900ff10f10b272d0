import Foundation
import GalletaPlatform
import TestSupport
import Testing

@testable import PHPSessions

@Suite("The socket for PHP's redis handler")
struct HandlerServerTests {
    private let fixture: HandlerFixture

    init() throws {
        fixture = try HandlerFixture()
    }

    /// What the handler sends to give its lock back.
    private func unlock(_ line: RedisLine, _ token: String) throws -> String {
        try line.ask("EVALSHA", HandlerCommand.unlockDigest, "1", fixture.lock, token)
    }

    // MARK: Commands

    @Test("answers each of the handler's commands as Redis does")
    func commands() throws {
        let line = try fixture.line()
        let (key, lock) = (fixture.key, fixture.lock)
        for (words, reply) in [
            (["SELECT", "0"], "+OK"), (["ping"], "+PONG"), (["ECHO", "x y"], "x y"), (["EXISTS", key], ":0"),
            (["GET", key], "nil"),
            (["SET", lock, "host|1", "NX", "PX", "30000"], "+OK"), (["GET", lock], "host|1"),
            (["SETEX", key, "1440", "a|i:1;"], "+OK"), (["EXISTS", key], ":1"), (["GET", key], "a|i:1;"),
            (["EXPIRE", key, "1440"], ":1"), (["GETEX", key, "EX", "1440"], "a|i:1;"),
            (["EVALSHA", HandlerCommand.unlockDigest, "1", lock, "host|2"], ":0"), (["GET", lock], "host|1"),
            (["EVALSHA", String(repeating: "a", count: 40), "1", lock, "host|1"], "-NOSCRIPT"),
            (["EVAL", HandlerCommand.unlockScript, "1", lock, "host|1"], ":1"), (["GET", lock], "nil"),
            (["EVALSHA", HandlerCommand.unlockDigest, "1", lock, "host|1"], ":0"),
            (["SET", lock, "host|1", "nx"], "+OK"), (["DELIFEQ", lock, "host|2"], ":0"),
            (["DELEX", lock, "IFEQ", "host|2"], ":0"), (["DELEX", lock, "IFEQ", "host|1"], ":1"),
            (["GET", lock], "nil"),
            (["SET", lock, "host|1", "NX"], "+OK"), (["DELIFEQ", lock, "host|1"], ":1"),
            (["SET", lock, "host|1", "EX", "9", "NX"], "+OK"),
            (["DEL", key], ":1"), (["DEL", key], ":0"), (["EXPIRE", key, "1440"], ":0"), (["GET", key], "nil"),
            (["SETEX", key, "1440", ""], "+OK"), (["GET", key], ""), (["QUIT"], "+OK"),
        ] as [([String], String)] {
            try line.send(words: words)
            let answer = try line.reply()
            #expect(answer == reply || (reply == "-NOSCRIPT" && answer.hasPrefix(reply)), "\(words): \(answer)")
        }
        #expect(try line.reply().isEmpty)
    }

    @Test("answers what is none of these by an error that says so, and goes on")
    func otherCommands() throws {
        let line = try fixture.line()
        let (key, lock) = (fixture.key, fixture.lock)
        for (words, text) in [
            (["KEYS", "*"], "unknown command 'KEYS': it is not one of the commands that keep PHP's sessions"),
            (["CONFIG", "GET", "*"], "unknown command 'CONFIG'"),
            (["SET", key, "x"], "SET without NX"), (["SET", key, "x", "NX"], "no lock's"),
            (["SET", lock, "x", "NX", "PX", "0"], "out of range"), (["SET", lock, "x", "XX"], "syntax"),
            (["GET"], "number of arguments"), (["SETEX", key, "0", "x"], "out of range"),
            (["SETEX", key, "x", "x"], "out of range"), (["SETEX", lock, "1", "x"], "a lock's"),
            (["SETEX", "PHPREDIS_SESSION:../etc", "1440", "x"], "letters, digits"), (["GET", "OTHER:abc"], "prefix="),
            (["SELECT", "1"], "one database"), (["AUTH", "secret"], "auth="), (["EVAL", "return 1", "0"], "script"),
            (["EVAL", "return redis.call('del', KEYS[1])", "1", lock, "x"], "script"), (["DEL", lock], "a lock's"),
            (["EXPIRE", key, "99999999999999999999"], "out of range"),
            ([String(repeating: "x", count: 5_000)], "not one"),
            (["ECHO", String(repeating: "x", count: 5_000)], "at most"),
        ] {
            try line.send(words: words)
            let reply = try line.reply()
            #expect(reply.hasPrefix("-ERR ") && reply.contains(text) && reply.utf8.count < 300, "\(words): \(reply)")
        }
        // Ids that PHP does not make are no sessions, and do no harm.
        #expect(try line.ask("EXISTS", "PHPREDIS_SESSION:../etc") == ":0")
        #expect(try line.ask("GET", "PHPREDIS_SESSION:") == "nil")
        #expect(try line.ask("PING") == "+PONG")
    }

    @Test("asks for a password where there is one, and has the prefix of the settings")
    func passwordAndPrefix() throws {
        let fixture = try HandlerFixture {
            $0.password = Array("secret".utf8)
            $0.prefix = Array("SHOP:".utf8)
        }
        let line = try fixture.line()
        #expect(try line.ask("GET", "SHOP:abc").hasPrefix("-NOAUTH"))
        #expect(try line.ask("AUTH", "secreu").hasPrefix("-WRONGPASS"))
        #expect(try line.ask("AUTH", "short").hasPrefix("-WRONGPASS"))
        #expect(try line.ask("GET", "SHOP:abc").hasPrefix("-NOAUTH"))
        #expect(try line.ask("AUTH", "anybody", "secret") == "+OK")
        #expect(try line.ask("SETEX", "SHOP:abc", "10", "x") == "+OK")
        #expect(try line.ask("GET", "SHOP:abc") == "x")
    }

    @Test("answers commands that come together, or byte by byte, in their order")
    func pipelined() throws {
        let line = try fixture.line()
        let key = fixture.key
        var bytes: [UInt8] = []
        for number in 0..<200 {
            bytes += RedisLine.command(["SETEX", key, "1440", "\(number)"]) + RedisLine.command(["GET", key])
        }
        try line.send(bytes: bytes)
        for number in 0..<200 {
            #expect(try line.reply() == "+OK")
            #expect(try line.reply() == "\(number)")
        }
        for byte in RedisLine.command(["GET", key]) { try line.send(bytes: [byte]) }
        #expect(try line.reply() == "199")
        // Answers that do not fit into the socket.
        let long = String(repeating: "x", count: 300_000)
        #expect(try line.ask("SETEX", key, "1440", long) == "+OK")
        try line.send(bytes: Array((0..<20).map { _ in RedisLine.command(["GET", key]) }.joined()))
        for _ in 0..<20 { #expect(try line.reply() == long) }
    }

    // MARK: Locks

    @Test("a lock that is asked for is answered when it is free, in the order of asking, and holds nobody else up")
    func queue() throws {
        let (first, other) = (try fixture.line(), try fixture.line())
        #expect(try first.ask("SET", fixture.lock, "host|0", "NX", "PX", "60000") == "+OK")
        var waiting: [RedisLine] = []
        for number in 1...20 {
            let line = try fixture.line()
            // What comes behind waits as well.
            try line.send(
                bytes: RedisLine.command(["SET", fixture.lock, "host|\(number)", "NX", "PX", "60000"])
                    + RedisLine.command(["GET", fixture.lock]))
            #expect(fixture.awaitWaiters(number))
            waiting.append(line)
        }
        #expect(try other.ask("SET", "PHPREDIS_SESSION:another_LOCK", "host|99", "NX", "PX", "60000") == "+OK")
        #expect(!waiting.contains { $0.hasReply(within: 0) })
        var holder = (first, "host|0")
        for (index, line) in waiting.enumerated() {
            #expect(try unlock(holder.0, holder.1) == ":1")
            #expect(try line.reply() == "+OK")
            #expect(try line.reply() == "host|\(index + 1)")
            holder = (line, "host|\(index + 1)")
        }
        #expect(try unlock(holder.0, holder.1) == ":1")
    }

    @Test("pages and requests of ours wait in one queue")
    func sharedQueue() throws {
        try fixture.put("a|i:1;")
        let (page, next) = (try fixture.line(), try fixture.line())
        #expect(try page.ask("SET", fixture.lock, "host|1", "NX", "PX", "60000") == "+OK")
        let hasRecord = Cell<Bool>()
        let gate = DispatchSemaphore(value: 0)
        let (store, id) = (fixture.store, fixture.id)
        let ours = Thread {
            let record = try? store.open(id, until: .patient)
            hasRecord.set(record != nil)
            gate.wait()
            record?.release()
        }
        ours.start()
        #expect(fixture.awaitWaiters(1))
        try next.send(words: ["SET", fixture.lock, "host|2", "NX", "PX", "60000"])
        #expect(fixture.awaitWaiters(2))
        #expect(try unlock(page, "host|1") == ":1")
        #expect(eventually { hasRecord.value == true })
        #expect(!next.hasReply(within: 20))
        gate.signal()
        #expect(try next.reply() == "+OK")
        // And who does not wait is told so at once.
        let error = #expect(throws: PHPSessionStoreError.self) { try store.open(id, until: .impatient) }
        #expect(error?.code == .busy)
    }

    @Test("a client that dies gives its lock back at once, and leaves the queue")
    func dyingClient() throws {
        let (first, second, third) = (try fixture.line(), try fixture.line(), try fixture.line())
        #expect(try first.ask("SET", fixture.lock, "host|1", "NX") == "+OK")
        try second.send(words: ["SET", fixture.lock, "host|2", "NX", "PX", "60000"])
        #expect(fixture.awaitWaiters(1))
        try third.send(words: ["SET", fixture.lock, "host|3", "NX", "PX", "60000"])
        #expect(fixture.awaitWaiters(2))
        second.close()
        #expect(fixture.awaitWaiters(1))
        first.close()
        #expect(try third.reply() == "+OK")
        #expect(try third.ask("GET", fixture.lock) == "host|3")
        third.close()
        #expect(eventually { (try? fixture.line().ask("GET", fixture.lock)) == "nil" })
    }

    @Test("a lock goes by its expiry, also from a client that stays, which gives back nothing later")
    func expiry() throws {
        let (first, second) = (try fixture.line(), try fixture.line())
        #expect(try first.ask("SET", fixture.lock, "host|1", "NX", "PX", "50") == "+OK")
        #expect(try second.ask("SET", fixture.lock, "host|2", "NX", "PX", "60000") == "+OK")
        #expect(try unlock(first, "host|1") == ":0")
        #expect(try first.ask("GET", fixture.lock) == "host|2")
        // As a lock of ours, for those who wait on a thread.
        #expect(try second.ask("SET", fixture.lock, "host|2", "NX", "PX", "50") == "+OK")
        try fixture.put("a|i:1;")
        try #require(try fixture.store.open(fixture.id, until: .patient)).release()
    }

    @Test("who has waited for too long is told that there is none, and may ask again")
    func patience() throws {
        let fixture = try HandlerFixture { $0.lockPatience = .milliseconds(30) }
        let (first, second) = (try fixture.line(), try fixture.line())
        #expect(try first.ask("SET", fixture.lock, "host|1", "NX") == "+OK")
        #expect(try second.ask("SET", fixture.lock, "host|2", "NX") == "nil")
        #expect(fixture.store.waiterCount(of: fixture.id) == 0)
        #expect(try first.ask("EVALSHA", HandlerCommand.unlockDigest, "1", fixture.lock, "host|1") == ":1")
        #expect(try second.ask("SET", fixture.lock, "host|2", "NX") == "+OK")
        // A lock that the same connection has forgotten is its own.
        #expect(try second.ask("SET", fixture.lock, "host|2", "NX") == "+OK")
    }

    // MARK: Writing without locks

    @Test(
        "pages without locks: changes under different names are all kept, whoever writes last",
        arguments: [
            // What was there, what two pages make of it, what is left.
            ("", "a|i:1;", "b|i:2;", "a|i:1;b|i:2;"),
            ("x|i:0;", "x|i:0;a|i:1;", "x|i:0;b|i:2;", "x|i:0;a|i:1;b|i:2;"),
            ("x|i:0;y|i:0;", "x|i:0;y|i:1;", "x|i:2;y|i:0;", "x|i:2;y|i:1;"),
            ("x|i:0;y|i:0;", "y|i:0;", "x|i:0;y|i:2;", "y|i:2;"),
            ("x|i:0;y|i:0;", "x|i:1;y|i:0;", "y|i:0;", "y|i:0;"),
            // Both the same name: the last one counts.
            ("x|i:0;", "x|i:1;", "x|i:2;", "x|i:2;"),
        ])
    func merges(before: String, first: String, second: String, after: String) throws {
        if !before.isEmpty { try fixture.put(before) }
        let pages = [try fixture.line(), try fixture.line()]
        for page in pages { #expect(try page.ask("GET", fixture.key) == (before.isEmpty ? "nil" : before)) }
        #expect(try pages[0].ask("SETEX", fixture.key, "1440", first) == "+OK")
        #expect(try pages[1].ask("SETEX", fixture.key, "1440", second) == "+OK")
        #expect(fixture.text == after)
    }

    @Test("a page that writes twice does not undo what others wrote in between")
    func writesTwice() throws {
        try fixture.put("x|i:0;")
        let pages = [try fixture.line(), try fixture.line()]
        for page in pages { _ = try page.ask("GET", fixture.key) }
        _ = try pages[0].ask("SETEX", fixture.key, "1440", "x|i:0;a|i:1;")
        _ = try pages[1].ask("SETEX", fixture.key, "1440", "x|i:0;b|i:1;")
        _ = try pages[1].ask("SETEX", fixture.key, "1440", "x|i:5;b|i:1;")
        #expect(fixture.text == "x|i:5;a|i:1;b|i:1;")
    }

    @Test(
        "what cannot be told apart by names is overwritten, and that is counted, and told once",
        arguments: ["no session at all", "x|a:1:{i:0;i:1;}y|R:2;"])
    func overwrites(mine: String) throws {
        for number in 1...3 {
            try fixture.put("x|i:0;n|i:\(number);")
            let pages = [try fixture.line(), try fixture.line()]
            for page in pages { _ = try page.ask("GET", fixture.key) }
            _ = try pages[0].ask("SETEX", fixture.key, "1440", "x|i:1;n|i:\(number);")
            #expect(try pages[1].ask("SETEX", fixture.key, "1440", mine) == "+OK")
            #expect(fixture.text == mine)
        }
        #expect(fixture.store.state.withLock { $0.overwrites } == 3)
        #expect(fixture.log.lines.filter { $0.contains("redis.session.locking_enabled") }.count == 1)
    }

    @Test("what a page writes into a session that was removed meanwhile does not bring it back")
    func removed() throws {
        try fixture.put("a|i:1;")
        let (page, other) = (try fixture.line(), try fixture.line())
        for isLocked in [false, true] {
            try fixture.put("a|i:1;")
            if isLocked { #expect(try page.ask("SET", fixture.lock, "host|1", "NX") == "+OK") }
            #expect(try page.ask("GET", fixture.key) == "a|i:1;")
            #expect(try other.ask("DEL", fixture.key) == ":1")
            // To PHP all is well.
            #expect(try page.ask("SETEX", fixture.key, "1440", "a|i:2;") == "+OK")
            #expect(try page.ask("EXPIRE", fixture.key, "1440") == ":0")
            #expect(fixture.text == nil)
        }
        // But a page that has seen that there is none begins it, also one that removed it itself.
        #expect(try page.ask("GET", fixture.key) == "nil")
        #expect(try page.ask("SETEX", fixture.key, "1440", "a|i:3;") == "+OK")
        #expect(try page.ask("DEL", fixture.key) == ":1")
        #expect(try page.ask("SETEX", fixture.key, "1440", "a|i:4;") == "+OK")
        #expect(fixture.text == "a|i:4;")
    }

    @Test("a change of ours is made on what a page without a lock has written meanwhile")
    func changed() throws {
        try fixture.put("a|i:1;")
        let page = try fixture.line()
        _ = try page.ask("GET", fixture.key)
        let record = try #require(try fixture.store.open(fixture.id, until: .patient))
        #expect(try page.ask("SETEX", fixture.key, "1440", "a|i:2;") == "+OK")
        let error = #expect(throws: PHPSessionStoreError.self) { try record.write(Array("a|i:3;".utf8), lastUse: nil) }
        #expect(error?.code == .changed)
        #expect(fixture.text == "a|i:2;")
        #expect(!record.isHeld)
    }

    // MARK: Bounds

    @Test("a command over the limit, and what is none, are told, and end the connection")
    func hostile() throws {
        let fixture = try HandlerFixture(store: { $0.maxSessionBytes = 10_000 })
        #expect(try fixture.line().ask("SETEX", fixture.key, "10", String(repeating: "x", count: 10_000)) == "+OK")
        let long = try fixture.line().ask("SETEX", fixture.key, "10", String(repeating: "y", count: 10_001))
        #expect(long.contains("at most 10000 bytes"))
        for text in [
            "*4\r\n$5\r\nSETEX\r\n$9999999\r\n", "*99999999\r\n", "GET / HTTP/1.1\r\n\r\n", "*1\r\n*1\r\n", "*0\r\n",
            "*-1\r\n",
            "*1\r\n$-1\r\n", "\n", "*1\r\n$1\r\nxyz",
        ] {
            let line = try fixture.line()
            try line.send(bytes: Array(text.utf8))
            #expect(try line.reply().hasPrefix("-ERR Protocol error"), "\(text)")
            #expect(try line.reply().isEmpty, "\(text)")
        }
        #expect(fixture.text == String(repeating: "x", count: 10_000))
    }

    @Test("connections beyond the limit are refused, and those within go on")
    func connections() throws {
        let fixture = try HandlerFixture { $0.maxConnections = 3 }
        let lines = try (0..<3).map { _ in try fixture.line() }
        for line in lines { #expect(try line.ask("PING") == "+PONG") }
        let other = try fixture.line()
        #expect(try other.reply() == "-ERR max number of clients reached")
        #expect(try other.reply().isEmpty)
        lines[0].close()
        #expect(eventually { (try? fixture.line().ask("PING")) == "+PONG" })
        #expect(try lines[2].ask("PING") == "+PONG")
        #expect(fixture.log.text.contains("more than 3 connections"))
    }

    @Test("who sends half a command, or does not read, is gone after a while; who is merely silent stays")
    func stalled() throws {
        let fixture = try HandlerFixture { $0.stallTimeout = .milliseconds(100) }
        let (half, deaf, silent) = (try fixture.line(), try fixture.line(), try fixture.line())
        #expect(try silent.ask("PING") == "+PONG")
        _ = try silent.ask("SETEX", fixture.key, "1440", String(repeating: "x", count: 1 << 20))
        try half.send(bytes: Array("*2\r\n$3\r\nGET\r\n".utf8))
        #expect(try deaf.ask("SET", fixture.lock, "host|1", "NX") == "+OK")
        try deaf.send(words: ["GET", fixture.key])
        #expect(try half.reply().isEmpty)
        // It is gone when its lock is.
        #expect(eventually { (try? silent.ask("GET", fixture.lock)) == "nil" })
        #expect(fixture.log.lines.contains { $0.contains("it is closed") })
        #expect(try silent.ask("PING") == "+PONG")
    }

    @Test("a full store says so, sessions without a user make room, and others stay")
    func full() throws {
        let fixture = try HandlerFixture(store: {
            $0.maxSessions = 3
            $0.owner = { $0.starts(with: "user".utf8) ? SessionOwner("ada") : nil }
        })
        let line = try fixture.line()
        func put(_ id: String, _ text: String) throws -> String {
            try line.ask("SETEX", "PHPREDIS_SESSION:\(id)", "100", text)
        }
        func isThere(_ id: String) throws -> Bool { try line.ask("EXISTS", "PHPREDIS_SESSION:\(id)") == ":1" }
        for id in ["a", "b"] { #expect(try put(id, "user") == "+OK") }
        for id in ["c", "d"] { #expect(try put(id, "guest") == "+OK") }
        #expect(try isThere("a") && isThere("b") && !isThere("c") && isThere("d"))
        #expect(try put("d", "user") == "+OK")
        #expect(try put("e", "guest").hasPrefix("-OOM"))
        #expect(try isThere("a") && isThere("b") && isThere("d"))
        // A log-in takes the place of the session that would end first.
        #expect(try put("f", "user") == "+OK")
        #expect(fixture.store.state.withLock { $0.table.count } == 3)
        let counts = fixture.store.state.withLock { ($0.table.evictions, $0.table.refusals) }
        #expect(counts == (2, 1))
    }

    // MARK: The socket

    @Test(
        "lets in whom its list names, and nobody else, whatever its mode",
        .enabled(if: getuid() == 0 && PHPPage.hasRedis))
    func peers() throws {
        let fixture = try HandlerFixture {
            $0.mode = 0o666
            $0.allow = ["user:www-data"]
        }
        let code =
            "$r = new Redis(); $r->connect('\(fixture.socket)'); try { echo $r->exists('\(fixture.key)') ? 1 : 0; }"
            + " catch (RedisException $e) { echo $e->getMessage(); }"
        for (user, isAllowed) in [("www-data", true), ("nobody", false), ("root", true)] {
            let result = try ChildProcess.run("runuser", ["-u", user, "--", "php", "-r", code])
            #expect((result.output == "0") == isAllowed, "\(user): \(result.output)")
        }
        #expect(fixture.log.text.contains("was refused"))
    }

    @Test("lets pages end that are under way when it is closed, and those who wait for them, and takes no others")
    func drains() throws {
        let fixture = try HandlerFixture { $0.drainTimeout = .seconds(120) }
        try fixture.put("a|i:1;")
        let (first, second, unlocked, idle) = (
            try fixture.line(), try fixture.line(), try fixture.line(), try fixture.line()
        )
        #expect(try idle.ask("PING") == "+PONG")
        #expect(try first.ask("SET", fixture.lock, "host|1", "NX") == "+OK")
        try second.send(words: ["SET", fixture.lock, "host|2", "NX"])
        #expect(fixture.awaitWaiters(1))
        #expect(try unlocked.ask("GET", fixture.key) == "a|i:1;")
        let isClosed = Cell<Bool>()
        let closing = Thread {
            fixture.close()
            isClosed.set(true)
        }
        closing.start()
        #expect(eventually { !FileManager.default.fileExists(atPath: fixture.socket) })
        #expect(throws: TestFailure.self) { try fixture.line() }
        #expect(try first.ask("SETEX", fixture.key, "1440", "a|i:1;b|i:1;") == "+OK")
        first.close()
        #expect(try second.reply() == "+OK")
        second.close()
        #expect(isClosed.value == nil)
        #expect(try unlocked.ask("SETEX", fixture.key, "1440", "a|i:2;") == "+OK")
        #expect(eventually { isClosed.value == true })
        #expect(try idle.reply().isEmpty)
        #expect(fixture.text == "a|i:2;b|i:1;")
    }

    @Test("is as private as its mode says, replaces a stale one, and leaves none behind")
    func socketFile() throws {
        let path = fixture.socket
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o660)
        var configuration = HandlerServer.Configuration(socket: path)
        let error = #expect(throws: ConfigurationError.self) {
            try HandlerServer(configuration, store: fixture.store)
        }
        #expect(error?.field == "socket" && error?.reason.contains("listens on it already") == true)
        try configuration.check()
        fixture.close()
        #expect(!FileManager.default.fileExists(atPath: path))
        configuration.socket = "/nonexistent/php.sock"
        #expect(throws: ConfigurationError.self) { try configuration.check() }
        configuration.allow = ["somebody"]
        let allow = #expect(throws: ConfigurationError.self) { try configuration.check() }
        #expect(allow?.field == "socketAllow")
    }
}
