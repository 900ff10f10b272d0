import Foundation
import GalletaPlatform
import MemorySessions
import PHPSerialization
import Sessions
import TestSupport
import Testing

@testable import PHPSessions

/// What pages of PHP and our handlers change, and what a crash of the server leaves of it.
@Suite("The journal of PHP's sessions in memory")
struct MemoryJournalTests {
    private let folder: TemporaryFolder
    private let disk = FragileDisk()

    init() throws {
        folder = try TemporaryFolder()
    }

    /// - Parameters:
    ///   - userName: Where PHP's pages have their user.
    ///   - maxSessions: The store's cap.
    private func start(userName: ByteString? = "user", maxSessions: Int = 100_000) throws -> HandlerFixture {
        var file = MemoryProvider.StateFile(path: folder.file("state"), interval: .seconds(86_400))
        file.disk = disk
        let codec = PHPSessionValues(userName: userName, format: .php, limits: PHPLimits())
        return try HandlerFixture({ $0.drainTimeout = .milliseconds(50) }, state: file) {
            $0.owner = { codec.owner(of: $0) }
            $0.maxSessions = maxSessions
        }
    }

    private func manager(_ server: HandlerFixture) throws -> SessionManager {
        var configuration = PHPProvider.Configuration()
        configuration.idleTimeout = .seconds(3_600)
        configuration.userKey = "user"
        configuration.bePatient()
        return try SessionManager(provider: PHPMemoryProvider(store: server.store, configuration))
    }

    private func open(_ manager: SessionManager, _ id: String?) -> Session {
        var candidates = SessionIDCandidates()
        if let id {
            Array("PHPSESSID=\(id)".utf8).withUnsafeBytes { manager.collectIDs(from: $0, into: &candidates) }
        }
        return manager.open(candidates, isSecure: false)
    }

    /// Ends a request; gives the id of the cookie that it sets.
    private func commit(_ session: Session) throws -> String? {
        let cookie = try session.commit().setCookie
        // The answer has waited for the disk.
        #expect(try session.isSettled)
        return cookie.flatMap { $0.split(separator: ";").first?.split(separator: "=").last }.map(String.init)
    }

    private func key(_ name: String) -> String { "PHPREDIS_SESSION:\(name)0123456789abcdefghijklmnop" }

    private func session(_ user: String?, _ count: Int = 0) -> String {
        (user.map { "user|s:\($0.utf8.count):\"\($0)\";" } ?? "") + "n|i:\(count);"
    }

    @Test("an answered log-in of a page stands, and so does a log-out; counts are as they were when that was written")
    func pages() throws {
        let server = try start()
        let page = try server.line()
        for name in ["ada", "bob", "eve"] { #expect(try page.ask("SETEX", key(name), "1440", session(nil)) == "+OK") }
        _ = server.keeper?.writeNow()
        let journal = folder.file("state.journal")
        let before = try Data(contentsOf: URL(fileURLWithPath: journal)).count
        for name in ["ada", "bob", "eve"] {
            #expect(try page.ask("GET", key(name)) == session(nil))
            #expect(try page.ask("SETEX", key(name), "1440", session(name, 1)) == "+OK")
        }
        let logIns = try Data(contentsOf: URL(fileURLWithPath: journal)).count
        #expect(logIns > before)
        // A count costs nothing.
        for name in ["ada", "eve"] { #expect(try page.ask("SETEX", key(name), "1440", session(name, 2)) == "+OK") }
        #expect(try Data(contentsOf: URL(fileURLWithPath: journal)).count == logIns)
        // One leaves by session_destroy(), one by a page that forgets who it was, one is ended by us.
        #expect(try page.ask("DEL", key("bob")) == ":1")
        #expect(try page.ask("SETEX", key("eve"), "1440", session(nil, 3)) == "+OK")
        #expect(try Data(contentsOf: URL(fileURLWithPath: journal)).count > logIns)
        #expect(try FileManager.default.attributesOfItem(atPath: journal)[.posixPermissions] as? Int == 0o600)
        #expect(!(try Data(contentsOf: URL(fileURLWithPath: journal))).contains(Data("ada0123456789".utf8)))
        server.crash()

        let next = try start()
        let again = try next.line()
        #expect(try again.ask("GET", key("ada")) == session("ada", 1))
        #expect(try again.ask("GET", key("bob")) == "nil")
        #expect(try again.ask("GET", key("eve")) == session(nil, 3))
        #expect(next.store.state.withLock { $0.table.sessions(of: "ada", at: next.store.now).count } == 1)
        #expect(next.log.text.contains("restored 5 log-ins, log-outs and rotations"))
        next.close()
        // A clean end has all of it in one file.
        #expect(!FileManager.default.fileExists(atPath: journal))
    }

    @Test("a log-in, another id and a log-out of a handler stand, and are waited for by its answer")
    func handlers() throws {
        let server = try start()
        let manager = try manager(server)
        let ids = try ["ada", "bob"].map { user in
            let session = open(manager, nil)
            try session.logIn(user: ByteString(user))
            return try commit(session)
        }
        let moving = open(manager, ids[0])
        try moving.rotate()
        let moved = try commit(moving)
        let leaving = open(manager, ids[1])
        try leaving.destroy()
        _ = try commit(leaving)
        server.crash()

        let next = try start()
        let restored = try self.manager(next)
        #expect(try open(restored, moved).user == "ada")
        #expect(try open(restored, ids[0]).user == nil && open(restored, ids[1]).user == nil)
        next.close()
    }

    @Test("the same user's next log-in, another lifetime, and a log-out by the key of PHP's pages stand, too")
    func handlersByOtherWays() throws {
        let server = try start()
        let manager = try manager(server)
        let first = open(manager, nil)
        try first.logIn(user: "ada", stamp: [1])
        let id = try commit(first)
        // As after a change of the password: the old stamp opens nothing any more.
        let second = open(manager, id)
        try second.logIn(user: "ada", stamp: [2])
        let next = try commit(second)
        let third = open(manager, next)
        try third.setLifetime(idleTimeout: .seconds(1_000), absoluteTimeout: .seconds(2_000))
        _ = try commit(third)
        let other = open(manager, nil)
        try other.logIn(user: "bob")
        let others = try commit(other)
        let leaving = open(manager, others)
        try leaving.delete("user")
        _ = try commit(leaving)
        server.crash()

        let restored = try start()
        var configuration = PHPProvider.Configuration()
        configuration.userKey = "user"
        configuration.bePatient()
        var sessions = SessionConfiguration()
        sessions.stampCheck = { _, stamp in stamp == [2] }
        let provider = try PHPMemoryProvider(store: restored.store, configuration)
        let after = try SessionManager(provider: provider, configuration: sessions)
        #expect(try open(after, next).user == "ada" && open(after, others).user == nil)
        let found = provider.sessions(from: nil, limit: 9).sessions.filter { $0.values["user"] != nil }
        let times = found.map(\.absoluteRemaining)
        #expect(times.count == 1 && times.allSatisfy { $0 <= .seconds(2_000) }, "\(times)")
        restored.close()
    }

    @Test("where the key of the user is named later, sessions that are restored are known as logged in")
    func laterKey() throws {
        let first = try start(userName: nil)
        #expect(try first.line().ask("SETEX", key("ada"), "1440", session("ada")) == "+OK")
        first.close()
        let second = try start()
        #expect(second.store.state.withLock { $0.table.userCount } == 1)
        #expect(try second.line().ask("DEL", key("ada")) == ":1")
        second.crash()
        let third = try start()
        #expect(try third.line().ask("EXISTS", key("ada")) == ":0")
        third.close()
    }

    @Test("log-ins that were answered come back also beyond the caps, and who made room for them does not")
    func caps() throws {
        let server = try start(maxSessions: 3)
        let page = try server.line()
        for name in ["ada", "bob", "eve"] { #expect(try page.ask("SETEX", key(name), "1440", session(name)) == "+OK") }
        _ = server.keeper?.writeNow()
        for name in ["kim", "lea"] { #expect(try page.ask("SETEX", key(name), "1440", session(name)) == "+OK") }
        server.crash()
        let next = try start(maxSessions: 3)
        let found = try ["ada", "bob", "eve", "kim", "lea"].map { try next.line().ask("EXISTS", key($0)) }
        #expect(found == [":0", ":0", ":1", ":1", ":1"], "\(found)")
        for name in ["ada", "bob"] {
            #expect(try next.line().ask("SETEX", key(name), "1440", session(name)) == "+OK")
        }
        next.crash()
        // A smaller cap takes nothing back that was answered since the file was written.
        let smaller = try start(maxSessions: 1)
        let left = try ["ada", "bob"].map { try smaller.line().ask("EXISTS", key($0)) }
        #expect(left == [":1", ":1"], "\(left)")
        smaller.close()
    }

    @Test("after a clean end nothing is missed; the journal of another kind of sessions is refused")
    func kinds() throws {
        let first = try start()
        #expect(try first.line().ask("SETEX", key("ada"), "1440", session("ada")) == "+OK")
        first.close()
        let second = try start()
        #expect(!second.log.text.contains("is not there"))
        second.crash()
        try FileManager.default.removeItem(atPath: folder.file("state"))
        let file = MemoryProvider.StateFile(path: folder.file("state"))
        var configuration = MemoryProvider.Configuration()
        configuration.state = file
        let error = #expect(throws: ConfigurationError.self) { try MemoryProvider(configuration: configuration) }
        #expect(error?.reason.contains("state.journal is the state file of another kind") == true)
        #expect(throws: ConfigurationError.self) { try file.checkAccess() }
        #expect(FileManager.default.fileExists(atPath: folder.file("state.journal")))
    }

    @Test("on a disk that fails a log-out is done and an error, and log-ins are refused before anything has changed")
    func failingDisk() throws {
        let server = try start()
        let page = try server.line()
        for name in ["ada", "bob"] { #expect(try page.ask("SETEX", key(name), "1440", session(name)) == "+OK") }
        #expect(try page.ask("SETEX", key("eve"), "1440", session(nil)) == "+OK")
        disk.fail(["sync", "create"])
        #expect(try page.ask("DEL", key("ada")).hasPrefix("-ERR it could not be put on the disk"))
        #expect(try page.ask("EXISTS", key("ada")) == ":0")
        // Whoever tries again is told no better.
        #expect(try page.ask("DEL", key("ada")).hasPrefix("-ERR it could not be put on the disk"))
        #expect(try page.ask("GET", key("eve")) == session(nil))
        #expect(try page.ask("SETEX", key("eve"), "1440", session("eve")).hasPrefix("-ERR log-ins cannot be put"))
        #expect(try page.ask("GET", key("eve")) == session(nil))
        // Nor a handler that forgets who it was.
        let leaving = open(try manager(server), "bob0123456789abcdefghijklmnop")
        try leaving.delete("user")
        let error = #expect(throws: SessionStoreError.self) { try leaving.commit() }
        #expect(error?.reason == .unsaved)
        #expect(try page.ask("GET", key("bob")) == session(nil))
        // Carts and counts have no need of it.
        #expect(try page.ask("SETEX", key("kim"), "1440", session(nil, 7)) == "+OK")
        #expect(try page.ask("SETEX", key("eve"), "1440", session(nil, 8)) == "+OK")
        #expect(server.store.stateJournal?.failureCount == 2)
        #expect(server.log.text.contains("log-ins are refused, and log-outs may be undone by a crash"))
        disk.fail([])
        #expect(server.keeper?.writeNow() == 3)
        #expect(try page.ask("DEL", key("ada")) == ":0")
        #expect(try page.ask("SETEX", key("eve"), "1440", session("eve", 9)) == "+OK")
        server.crash()
        let next = try start()
        #expect(try next.line().ask("GET", key("eve")) == session("eve", 9))
        #expect(try next.line().ask("EXISTS", key("ada")) == ":0")
        next.close()
    }

    @Test("a page that waits for the disk holds up nobody else, and one that dies meanwhile nothing")
    func slowDisk() throws {
        let server = try start()
        let (first, second, third) = (try server.line(), try server.line(), try server.line())
        let again = try server.line()
        #expect(try first.ask("SETEX", key("ada"), "1440", session("ada")) == "+OK")
        let gate = DispatchSemaphore(value: 0)
        let isHeld = Cell<Bool>()
        disk.before("sync") { _ in
            isHeld.set(true)
            gate.wait()
            gate.signal()
        }
        try first.send(words: ["DEL", key("ada")])
        #expect(eventually { isHeld.value == true })
        try third.send(words: ["SETEX", key("dead"), "1440", session("dead")])
        #expect(try second.ask("EXISTS", key("ada")) == ":0")
        #expect(try second.ask("SETEX", key("bob"), "1440", session(nil)) == "+OK")
        third.close()
        // The same visitor logs out on another page: nobody is told of what is not on the disk.
        let answer = Cell<String>()
        try again.send(words: ["DEL", key("ada")])
        #expect(try second.ask("PING") == "+PONG")
        nonisolated(unsafe) let line = again
        Thread { answer.set((try? line.reply()) ?? "none") }.start()
        #expect(try second.ask("PING") == "+PONG")
        #expect(answer.value == nil)
        disk.before("sync", nil)
        gate.signal()
        #expect(try first.reply() == ":1")
        #expect(eventually { answer.value == ":0" })
        #expect(try first.ask("PING") == "+PONG")
        server.close()
    }

    @Test("whatever is damaged in the files, a start comes to its end and has what is whole")
    func noise() throws {
        let server = try start()
        let page = try server.line()
        for number in 0..<20 {
            #expect(try page.ask("SETEX", key("a\(number)"), "1440", session("user\(number)")) == "+OK")
            if number == 10 { _ = server.keeper?.writeNow() }
        }
        server.crash()
        let paths = [folder.file("state"), folder.file("state.journal")]
        let whole = try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        for _ in 0..<100 {
            for (path, bytes) in zip(paths, whole) {
                var damaged = bytes
                for _ in 0..<Int.random(in: 0...3) { damaged[.random(in: damaged.indices)] = .random(in: 0...255) }
                try damaged.write(to: URL(fileURLWithPath: path))
                chmod(path, 0o600)
            }
            let store = try MemoryStore(MemoryStore.Configuration(idleTimeout: .seconds(60)))
            try? StateKeeper(
                of: store, file: MemoryProvider.StateFile(path: paths[0]), logger: server.logger,
                queue: DispatchQueue(label: "test")
            ).abandon()
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.contains(".damaged") || name.contains(".unused") {
                try FileManager.default.removeItem(atPath: folder.file(name))
            }
        }
    }
}
