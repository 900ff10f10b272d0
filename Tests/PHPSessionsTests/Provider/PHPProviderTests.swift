import Foundation
import GalletaPlatform
import Sessions
import SessionsTesting
import TestSupport
import Testing

@testable import PHPSessions

@Suite("Sessions of PHP", .enabled(if: PHPPage.isThere))
struct PHPProviderTests {
    private let folder: SessionFolder

    init() throws {
        folder = try SessionFolder()
    }

    private func provider(
        _ adjust: (inout PHPProvider.Configuration) -> Void = { _ in }
    ) throws -> PHPProvider {
        var configuration = PHPProvider.Configuration()
        configuration.savePath = folder.path
        configuration.idleTimeout = .seconds(3_600)
        adjust(&configuration)
        return try PHPProvider(configuration: configuration)
    }

    private var id: SessionID { SessionID(foreign: Array(folder.id.text.utf8))! }

    private func manager(_ adjust: (inout PHPProvider.Configuration) -> Void = { _ in }) throws -> SessionManager {
        try SessionManager(provider: provider(adjust))
    }

    private func visit(
        _ manager: SessionManager, _ id: SessionID? = nil, _ body: (Session) throws -> Void
    ) throws -> String? {
        var candidates = SessionIDCandidates()
        if let id {
            Array("PHPSESSID=\(id.encoded)".utf8).withUnsafeBytes { manager.collectIDs(from: $0, into: &candidates) }
        }
        let session = manager.open(candidates, isSecure: false)
        try body(session)
        let cookie = try session.commit().setCookie
        return cookie.flatMap { $0.split(separator: ";").first?.split(separator: "=").last }.map(String.init)
    }

    /// What PHP's sessions have not. Their files have the ids for names.
    static let lacking = [
        "UserIndexedProvider", "CollectingProvider", "ListingProvider", "statistics", "keepsCap", "outage",
        "storedBytes",
        "traits.keepsKinds", "traits.keepsRotationGrace", "traits.remembersRotatedIDs", "traits.hasExactDeadlines",
    ]

    @Test("conform to the contract but for what PHP cannot keep", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        let time = ManualSessionClock(start: .seconds(1_000_000_000))
        @Sendable func provider() throws -> PHPProvider {
            try self.provider { configuration in
                configuration.bePatient()
                configuration.clock = WallClock { time.now }
            }
        }
        let outcome = try test.run { _ in
            var fixture = ConformanceFixture(provider: try provider(), time: time)
            fixture.another = { try provider() }
            fixture.reopen = { try provider() }
            return fixture
        }
        #expect(outcome == .passed || Self.lacking.contains { "\(outcome)".contains("(\($0))") }, "\(outcome)")
    }

    @Test(
        "PHP's values are Swift's, objects and references are kept as they are, and what nobody changes stays byte for byte"
    )
    func values() throws {
        let object = "O:4:\"Cart\":1:{s:5:\"items\";a:1:{i:0;i:7;}}"
        let text =
            "user_id|i:42;name|s:4:\"Zoë\";latin|s:1:\"\u{e9}\";list|a:2:{i:0;i:1;i:1;d:0.5;}"
            + "map|a:2:{s:1:\"a\";b:1;i:5;N;}cart|\(object)one|a:1:{i:0;i:1;}two|R:12;"
        var bytes = Array(text.utf8)
        // One byte that is not UTF-8.
        let place = try #require(bytes.firstRange(of: [0xc3, 0xa9]))
        bytes.replaceSubrange(place, with: [0xe9])
        try Data(bytes).write(to: URL(fileURLWithPath: folder.file))
        let manager = try manager()
        _ = try visit(manager, id) { session in
            #expect(try session.get("user_id", as: Int.self) == 42)
            #expect(try session.get("name", as: String.self) == "Zoë")
            #expect(try session.get("latin", as: [UInt8].self) == [0xe9])
            #expect(try session.get("list", as: [Double].self) == [1, 0.5])
            #expect(try session.value("map") == ["a": true, "5": nil])
            #expect(
                try session.value("cart") == .opaque(SessionOpaqueValue(typeName: "php", bytes: Array(object.utf8))))
            try session.set("user_id", 43)
        }
        let after = try #require(FileManager.default.contents(atPath: folder.file))
        let place42 = try #require(bytes.firstRange(of: Array("i:42;".utf8)))
        bytes.replaceSubrange(place42, with: Array("i:43;".utf8))
        #expect(Array(after) == bytes)
    }

    @Test("what Swift writes PHP reads, and the other way round; a new id and a log-out are seen by both")
    func bothWays() throws {
        let manager = try manager { $0.userKey = "user" }
        let first = try #require(
            try visit(manager) { session in
                try session.set("cart", ["figs": 2])
                try session.logIn(user: "ada")
            })
        func dump(_ id: String) throws -> String { try PHPPage(folder.path, id, "dump").finish() }
        #expect(try dump(first).contains("s:4:\"cart\";a:1:{s:4:\"figs\";i:2;}"))
        #expect(try dump(first).contains("s:4:\"user\";s:3:\"ada\";"))
        _ = try PHPPage(folder.path, first, "count", "3").finish()
        let id = try #require(SessionID(foreign: Array(first.utf8)))
        _ = try visit(manager, id) { session in
            #expect(try session.get("php", as: Int.self) == 3)
            #expect(try session.user == "ada")
            let both = try session.update("both", default: 0) { (count: inout Int) in
                count += 1
                return count
            }
            #expect(both == 4)
        }
        let second = try #require(try visit(manager, id) { try $0.rotate() })
        #expect(second != first && folder.names == ["sess_\(second)"])
        let page = try PHPPage(folder.path, second, "hold")
        #expect(page.awaitHeld())
        try page.tell("destroy")
        _ = try page.finish()
        _ = try visit(manager, SessionID(foreign: Array(second.utf8))) { session in
            let (isNew, user) = (try session.isNew, try session.user)
            #expect(isNew && user == nil)
        }
        #expect(folder.names.isEmpty)
    }

    @Test("a page that has the session holds no caller for long; who may not wait gets an error with a time")
    func busy() async throws {
        try folder.put("a|i:1;")
        let id = id
        let page = try PHPPage(folder.path, folder.id.text, "hold")
        #expect(page.awaitHeld())
        let provider = try provider {
            $0.waiters = 1; $0.lockTimeout = .seconds(30)
        }
        let error = #expect(throws: SessionStoreError.self) { try provider.lookUp(SessionHandle(id)) }
        #expect(error?.retryAfter == .seconds(1))
        async let waiting = provider.lookUpAsync(SessionIDCandidates(id))
        // As soon as that one has the only place there is, others are turned away at once.
        var isRefused = false
        while !isRefused {
            let other = try self.provider { $0.waiters = 0 }
            let error = await #expect(throws: SessionStoreError.self) {
                _ = try await other.lookUpAsync(SessionIDCandidates(id))
            }
            isRefused = error?.retryAfter == .seconds(1)
        }
        // The page will say that the session was used, and so do we: that needs no waiting.
        guard case .touched = try await provider.touchAsync(SessionHandle(id)) else {
            Issue.record("not touched")
            return
        }
        try page.tell("set b 2")
        _ = try page.finish()
        guard case .found(let record)? = try await waiting.first else {
            Issue.record("not found")
            return
        }
        #expect(record.values["b"] == .string("2"))
        #expect(folder.text?.contains("b|s:1:\"2\";") == true)
    }

    @Test(
        "a session that makes no sense here is an error and not none, its bytes stay, and it can be ended",
        arguments: ["a|i:x;", "garbage", "a|s:5:\"b\";"])
    func damaged(text: String) throws {
        try folder.put(text)
        let (provider, id) = (try provider(), id)
        for call in [
            { _ = try provider.read(id) }, { _ = try provider.commit(SessionPatch(), to: id, expecting: nil) },
            { _ = try provider.rotate(SessionHandle(id), to: SessionIDFormat.php.draw(), grace: .zero) },
        ] as [() throws -> Void] {
            let error = #expect(throws: SessionStoreError.self) { try call() }
            #expect(error?.reason == .unreadable)
        }
        #expect(folder.text == text)
        let manager = try manager()
        let session = manager.open(SessionIDCandidates(id), isSecure: false)
        #expect(throws: SessionStoreError.self) { try session.value("a") }
        try session.destroy()
        #expect(try session.commit().setCookie?.contains("Max-Age=0") == true)
        #expect(folder.names.isEmpty)
    }

    @Test("what only PHP understands does not hide the rest, and stays as it is")
    func onlyPHP() throws {
        let object = #"C:6:"OldSer":3:{a|b}"#
        let deep = String(repeating: "a:1:{i:0;", count: 600) + "i:1;" + String(repeating: "}", count: 600)
        try folder.put("n|i:1;user|s:3:\"ada\";old|\(object)deep|\(deep)")
        let provider = try provider { $0.userKey = "user" }
        let record = try #require(try provider.read(id))
        #expect(record.values.user == "ada" && record.values["n"] == .int(1))
        guard case .opaque(let value)? = record.values["old"] else {
            Issue.record("not opaque")
            return
        }
        #expect(value.bytes == Array(object.utf8))
        let manager = try manager()
        _ = try visit(manager, id) { try $0.set("n", 2) }
        #expect(folder.text?.hasPrefix("n|i:2;") == true && folder.text?.hasSuffix("old|\(object)deep|\(deep)") == true)
    }

    @Test("an array that was changed keeps the order of its keys, new ones come at the end")
    func order() throws {
        try folder.put(#"cart|a:3:{s:3:"jug";a:2:{s:1:"n";i:1;s:1:"a";i:1;}s:3:"mug";i:2;s:4:"bowl";i:3;}"#)
        _ = try visit(manager(), id) { session in
            var cart = try #require(try session.get("cart", as: [String: SessionValue].self))
            cart["bowl"] = .int(9)
            cart["ale"] = .int(4)
            cart["jug"] = .object(["a": .int(5), "n": .int(6)])
            try session.set("cart", cart)
        }
        let cart = #"a:4:{s:3:"jug";a:2:{s:1:"n";i:6;s:1:"a";i:5;}s:3:"mug";i:2;s:4:"bowl";i:9;s:3:"ale";i:4;}"#
        #expect(folder.text?.hasPrefix("cart|\(cart)") == true, "\(folder.text ?? "")")
    }

    @Test("child tasks of a request that has the session lose nothing of each other's")
    func childTasks() async throws {
        try folder.put("n|i:0;")
        let manager = try SessionManager(provider: provider())
        var candidates = SessionIDCandidates(id)
        candidates.mayChangeSession = true
        let session = manager.open(candidates, isSecure: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 { group.addTask { try await session.update("n", default: 0) { $0 += 1 } } }
            try await group.waitForAll()
        }
        _ = try await session.commitAsync()
        #expect(folder.text?.hasPrefix("n|i:40;") == true, "\(folder.text ?? "")")
    }

    @Test("who may not wait does not, and a head is not waited with")
    func noWaiting() throws {
        try folder.put("a|i:1;")
        let page = try PHPPage(folder.path, folder.id.text, "hold")
        #expect(page.awaitHeld())
        // Long enough to be seen if it were waited for.
        let provider = try provider { $0.shortTimeout = .seconds(600) }
        var candidates = SessionIDCandidates(id)
        candidates.mayWait = false
        let error = #expect(throws: SessionStoreError.self) { try provider.lookUp(candidates) }
        #expect(error?.reason == .busy)
        _ = try page.finish()
    }

    @Test("one worker at a time waits for a page, and the others learn at once that they would have to")
    func oneCaller() throws {
        try folder.put("a|i:1;")
        let page = try PHPPage(folder.path, folder.id.text, "hold")
        #expect(page.awaitHeld())
        let (provider, id) = (
            try provider {
                $0.shortTimeout = .seconds(600)
                $0.lockTimeout = .seconds(600)
                $0.waitersPerSession = 100
            }, id
        )
        let found = Cell<Bool>()
        let first = Thread { found.set((try? provider.read(id)) != nil) }
        first.start()
        // While that one waits, ten minutes if need be, another one does not.
        #expect(eventually { provider.callersWaitingCount == 1 })
        let error = #expect(throws: SessionStoreError.self) { try provider.read(id) }
        #expect(error?.reason == .busy && found.value == nil)
        _ = try page.finish()
        #expect(eventually { found.value == true })
    }

    @Test("a request that is cut lets the lock go, and what it does then is done on what there is")
    func overtime() throws {
        try folder.put("a|i:1;b|i:1;")
        let manager = try manager()
        let end = RequestEnd()
        var candidates = SessionIDCandidates(id)
        candidates.mayChangeSession = true
        candidates.end = end
        let session = manager.open(candidates, isSecure: false)
        #expect(try session.get("a", as: Int.self) == 1)
        end.come()
        // Waits for the lock.
        _ = try PHPPage(folder.path, folder.id.text, "count", "1").finish()
        let text = try #require(folder.text)
        try session.set("b", 7)
        _ = try session.commit()
        #expect(folder.text == text.replacingOccurrences(of: "b|i:1;", with: "b|i:7;"))
    }

    @Test("the first cookie counts, percent-decoded; what is no id of PHP is none")
    func cookies() throws {
        try folder.put("a|i:1;")
        let manager = try manager()
        func finds(_ cookie: String) throws -> Bool {
            var candidates = SessionIDCandidates()
            Array(cookie.utf8).withUnsafeBytes { manager.collectIDs(from: $0, into: &candidates) }
            return try !manager.open(candidates, isSecure: false).isNew
        }
        let id = folder.id.text
        #expect(try finds("PHPSESSID=\(id)"))
        #expect(try finds("PHPSESSID=%30" + id.dropFirst()))
        #expect(try !finds("PHPSESSID=zyxwvutsrqponmlkjihgfedcba; PHPSESSID=\(id)"))
        for text in ["../" + id, id + "%00", id + "%2F", "deleted", "", id + "+"] {
            #expect(try !finds("PHPSESSID=\(text)"))
        }
        #expect(manager.cookie.name == "PHPSESSID")
    }

    @Test(
        "a request that may change something has PHP's lock from its look-up to its end, and so a page waits for it",
        arguments: ["commit", "roll back", "let go", "destroy", "rotate"])
    func wholeRequest(end: String) throws {
        try folder.put("a|i:1;")
        let manager = try manager()
        let store = try folder.store()
        func isHeld() -> Bool {
            do throws(PHPSessionStoreError) {
                try store.open(folder.id, until: .now)?.release()
                return false
            } catch {
                return error.code == .busy
            }
        }
        func open(mayChange: Bool) -> Session {
            var candidates = SessionIDCandidates(id)
            candidates.mayChangeSession = mayChange
            return manager.open(candidates, isSecure: false)
        }
        var session: Session? = open(mayChange: false)
        #expect(try session?.get("a", as: Int.self) == 1 && !isHeld())
        session = open(mayChange: true)
        #expect(!isHeld())
        #expect(try session?.get("a", as: Int.self) == 1 && isHeld())
        // What acts at once does not let go of it.
        #expect(
            try session?.update("a", default: 0) {
                $0 += 1; return $0
            } == 2)
        #expect(
            try session?.update("a", default: 0) {
                $0 += 1; return $0
            } == 3)
        #expect(isHeld() && folder.text == "a|i:3;")
        try session?.set("b", 1)
        switch end {
        case "commit":
            _ = try session?.commit()
            #expect(folder.text == "a|i:3;b|i:1;")
        case "roll back": _ = session?.discard()
        case "destroy": try session?.destroy()
        case "rotate":
            try session?.rotate()
            _ = try session?.commit()
            #expect(folder.names.count == 1 && folder.text == nil)
            return
        default: session = nil
        }
        #expect(!isHeld())
        #expect(folder.text == (end == "destroy" ? nil : end == "commit" ? "a|i:3;b|i:1;" : "a|i:3;"))
    }

    @Test("without a lock for the whole request pages have their turn between reading and writing")
    func onWrite() throws {
        try folder.put("a|i:1;")
        let manager = try manager { $0.locking = .onWrite }
        var candidates = SessionIDCandidates(id)
        candidates.mayChangeSession = true
        let session = manager.open(candidates, isSecure: false)
        #expect(try session.get("a", as: Int.self) == 1)
        _ = try PHPPage(folder.path, folder.id.text, "count", "2").finish()
        try session.set("b", 1)
        _ = try session.commit()
        #expect(folder.text == "a|i:1;php|i:2;both|i:2;b|i:1;")
    }

    @Test("an unused one ends with gc_maxlifetime")
    func lifetime() throws {
        try folder.put("a|i:1;")
        let provider = try provider()
        #expect(try provider.read(id) != nil)
        _ = try folder.modified(Date(timeIntervalSinceNow: -3_601))
        #expect(try provider.read(id) == nil)
        guard case .gone = try provider.touch(id) else {
            Issue.record("not gone")
            return
        }
    }

    @Test(
        "times that nobody could mean end nothing but the session",
        arguments: [Int.min, .min + 1, -1, 0, .max])
    func extremeTimes(began: Int) throws {
        try folder.put("_galleta|a:1:{s:5:\"times\";a:3:{i:0;i:\(began);i:1;i:\(began);i:2;i:\(began);}}a|i:1;")
        _ = try provider().read(id)
        #expect(WallClock.system.idle(since: .seconds(began)) >= .zero)
    }

    @Test("what is false to PHP is no user", arguments: ["i:0;", "s:1:\"0\";", "s:0:\"\";", "b:0;", "N;"])
    func guests(value: String) throws {
        try folder.put("uid|\(value)")
        #expect(try provider { $0.userKey = "uid" }.read(id)?.values.user == nil)
        try folder.put("uid|i:7;")
        #expect(try provider { $0.userKey = "uid" }.read(id)?.values.user == "7")
    }

    // MARK: Settings

    @Test("settings are PHP's own, a pool's above the ini's, and what does not fit is refused by its name")
    func settings() throws {
        var settings = PHPSettings()
        settings.read(
            """
            [Session]
            ; session.name = NONE
            session.name = SHOP ; the shop
            session.save_path = "2;0600;\(folder.path)"
            session.gc_maxlifetime = 7200
            session.cookie_samesite = Strict
            session.cookie_secure = On
            session.cookie_lifetime = 0
            session.cookie_domain =
            """)
        settings.read("php_admin_value[session.gc_maxlifetime] = 600\nphp_value[session.name]=OTHER\n")
        settings.read("session.gc_maxlifetime = 9\nsession.name = LAST")
        var configuration = PHPProvider.Configuration()
        try configuration.apply(settings)
        #expect(configuration.savePath == "2;0600;\(folder.path)" && configuration.idleTimeout == .seconds(600))
        let manager = try SessionManager(provider: PHPProvider(configuration: configuration))
        #expect(manager.configuration.cookieName == "LAST" && manager.configuration.sameSite == .strict)
        #expect(!manager.configuration.isPersistent && manager.configuration.idleTimeout == .seconds(600))
        for (text, field) in [
            ("session.save_handler = memcached", "session.save_handler"),
            ("session.save_handler = rediscluster", "session.save_handler"),
            (
                "session.save_handler = redis\nredis.session.locking_enabled = on\nmax_execution_time = 0",
                "redis.session.lock_expire"
            ),
            ("session.gc_maxlifetime = long", "session.gc_maxlifetime"),
        ] {
            var settings = PHPSettings()
            settings.read(text)
            var other = PHPProvider.Configuration()
            #expect(throws: ConfigurationError.self) { try other.apply(settings) }
            let error = Result { try other.apply(settings) }
            if case .failure(let error as ConfigurationError) = error { #expect(error.field == field) }
        }
        for (field, adjust) in [
            ("serializeHandler", { $0.serializeHandler = "igbinary" }),
            ("serializeHandler", { $0.serializeHandler = "x" }),
            ("idleTimeout", { $0.idleTimeout = .zero }), ("savePath", { $0.savePath = "/nonexistent" }),
            ("waiters", { $0.waiters = -1 }),
        ] as [(String, (inout PHPProvider.Configuration) -> Void)] {
            let error = #expect(throws: ConfigurationError.self) { try provider(adjust) }
            #expect(error?.field == field)
        }
        // What PHP cannot keep is refused where it was asked for.
        var sessions = SessionConfiguration()
        sessions.maximumSessionsPerUser = 3
        let error = #expect(throws: ConfigurationError.self) {
            try SessionManager(provider: provider(), configuration: sessions)
        }
        #expect(error?.field == "maximumSessionsPerUser")
    }
}
