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

    private func start(interval: Duration = .seconds(86_400)) throws -> HandlerFixture {
        var file = MemoryProvider.StateFile(path: folder.file("state"), interval: interval)
        file.disk = disk
        let codec = PHPSessionValues(userName: "user", format: .php, limits: PHPLimits())
        return try HandlerFixture(
            { $0.drainTimeout = .milliseconds(50) }, state: file, store: { $0.user = { codec.user(of: $0) } })
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
        func provider(_ server: HandlerFixture) throws -> PHPMemoryProvider {
            var configuration = PHPProvider.Configuration()
            configuration.idleTimeout = .seconds(3_600)
            configuration.userKey = "user"
            configuration.bePatient()
            return try PHPMemoryProvider(store: server.store, configuration)
        }
        func open(_ manager: SessionManager, _ id: String?) -> Session {
            var candidates = SessionIDCandidates()
            if let id {
                Array("PHPSESSID=\(id)".utf8).withUnsafeBytes { manager.collectIDs(from: $0, into: &candidates) }
            }
            return manager.open(candidates, isSecure: false)
        }
        func id(_ commit: SessionCommit) throws -> String {
            let cookie = try #require(commit.setCookie)
            return String(try #require(cookie.split(separator: ";").first?.split(separator: "=").last))
        }
        let server = try start()
        let manager = try SessionManager(provider: provider(server))
        let ids = try ["ada", "bob"].map { user in
            let session = open(manager, nil)
            try session.logIn(user: ByteString(user))
            let syncs = disk.count(of: "sync")
            let commit = try session.commit()
            #expect(try session.isSettled && disk.count(of: "sync") > syncs)
            return try id(commit)
        }
        let moving = open(manager, ids[0])
        try moving.rotate()
        let moved = try id(moving.commit())
        let leaving = open(manager, ids[1])
        try leaving.destroy()
        _ = try leaving.commit()
        server.crash()

        let next = try start()
        let restored = try SessionManager(provider: provider(next))
        #expect(try open(restored, moved).user == "ada")
        #expect(try open(restored, ids[0]).user == nil && open(restored, ids[1]).user == nil)
        next.close()
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
        #expect(try page.ask("GET", key("eve")) == session(nil))
        #expect(try page.ask("SETEX", key("eve"), "1440", session("eve")).hasPrefix("-ERR log-ins cannot be put"))
        #expect(try page.ask("GET", key("eve")) == session(nil))
        // Carts and counts have no need of it.
        #expect(try page.ask("SETEX", key("bob"), "1440", session("bob", 7)) == "+OK")
        #expect(try page.ask("SETEX", key("eve"), "1440", session(nil, 8)) == "+OK")
        #expect(server.store.stateJournal?.failureCount == 1)
        #expect(server.log.text.contains("log-ins are refused, and log-outs may be undone by a crash"))
        disk.fail([])
        #expect(server.keeper?.writeNow() == 2)
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
        #expect(try second.ask("PING") == "+PONG")
        disk.before("sync", nil)
        gate.signal()
        #expect(try first.reply() == ":1")
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
