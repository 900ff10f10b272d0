import Foundation
import GalletaPlatform
import RedisSessions
import Sessions
import SessionsTesting
import TestSupport
import Testing

@testable import PHPSessions

@Suite("Sessions of PHP in Redis", .enabled(if: PHPPage.hasRedis))
struct RedisStoreTests {
    /// One for all tests, each of which has a prefix of its own.
    private static let shared = Result { try RedisServer() }
    /// For the conformance suite, case by case.
    private static let movable = Result { try RedisServer(hasMovableClock: true) }

    private let server: RedisServer
    private let place: RedisSavePath
    private let path: String
    private let id = PHPSessionID("0123456789abcdefghijklmnop")!
    private let prefix = "t\(UInt64.random(in: 0 ... .max)):"

    init() throws {
        server = try Self.shared.get()
        path = "unix://\(server.socket)?prefix=\(prefix)"
        place = try RedisSavePath(path)
    }

    private func store() throws -> RedisStore { try RedisStore(configuration()) }

    private func configuration(_ place: RedisSavePath? = nil) -> RedisStore.Configuration {
        var configuration = RedisStore.Configuration(place: place ?? self.place, idleTimeout: .seconds(3_600))
        configuration.maxWaiters = 100
        // On a busy machine.
        configuration.timeout = .seconds(60)
        return configuration
    }

    private func provider(_ place: RedisSavePath? = nil, _ clock: WallClock = .system) throws -> PHPProvider {
        var configuration = PHPProvider.Configuration()
        configuration.idleTimeout = .seconds(3_600)
        configuration.bePatient()
        configuration.clock = clock
        var redis = self.configuration(place)
        redis.clock = clock
        return try PHPProvider(store: RedisStore(redis), configuration: configuration)
    }

    private func put(_ text: String) throws { _ = try server.cli("SETEX", prefix + id.text, "1440", text) }
    private func text() throws -> String { try server.cli("GET", prefix + id.text) }
    private func lock() throws -> String { try server.cli("GET", prefix + id.text + "_LOCK") }

    @Test(
        "conform to the contract but for what PHP cannot keep", .serialized,
        arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        let time = ManualSessionClock(start: .seconds(1_000_000_000))
        let server = try Self.movable.get()
        let place = try RedisSavePath("unix://\(server.socket)?prefix=\(prefix)")
        @Sendable func make() throws -> PHPProvider { try provider(place, WallClock { time.now }) }
        let outcome = try test.run { _ in
            // Redis's clock goes on by itself, too.
            var fixture = ConformanceFixture(provider: try make(), second: .seconds(60)) {
                time.advance(by: $0)
                try server.advance(by: $0)
            }
            fixture.another = { try make() }
            fixture.reopen = { try make() }
            return fixture
        }
        let lacking = PHPProviderTests.lacking + ["a clock that stands still between advances"]
        let isLacking = lacking.contains { "\(outcome)".contains($0) }
        #expect(outcome == .passed || isLacking, "\(outcome)")
    }

    @Test("are counted on by pages and by us at once, and each counts")
    func counts() throws {
        try put("a|i:1;")
        let (store, id, path) = (try store(), id, path)
        let pages = try (0..<3).map { _ in try PHPPage(path, id.text, "count", "60") }
        let failures = Cell<String>()
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            do {
                for _ in 0..<60 { try FileStoreWithPHPTests.count(store, id) }
            } catch {
                failures.set("\(error)")
            }
        }
        for page in pages { _ = try page.finish() }
        #expect(failures.value == nil)
        let text = try text()
        #expect(text.contains("both|i:300;"), "\(text)")
        #expect(try lock().trimmingCharacters(in: .whitespacesAndNewlines).isEmpty)
    }

    @Test(
        "are not overwritten where a page that takes no lock has written meanwhile: the change is made on what is there"
    )
    func withoutLocks() throws {
        try put("a|i:1;b|i:1;")
        let record = try #require(try store().open(id, until: .patient))
        try put("a|i:2;b|i:1;")
        let error = #expect(throws: PHPSessionStoreError.self) {
            try record.write(Array("a|i:1;b|i:3;".utf8), lastUse: nil)
        }
        #expect(error?.code == .changed)
        #expect(try text().hasPrefix("a|i:2;b|i:1;"))
        // A page that writes all the time, and changes of ours to another name.
        let page = try PHPPage(path, id.text, "count", "200")
        let provider = try provider()
        let session = SessionID(foreign: Array(id.text.utf8))!
        for number in 1...50 {
            var patch = SessionPatch()
            patch.limits = SessionLimits(bytes: 1 << 20, keys: 100)
            try patch.set(.int(Int64(number)), for: SessionKey("swift"))
            guard case .committed = try provider.commit(patch, to: session, expecting: nil) else {
                Issue.record("not committed")
                return
            }
        }
        _ = try page.finish()
        #expect(try text().contains("swift|i:50;"))
    }

    @Test("a longer life that others have given a session, or one without end, stays")
    func longerLife() throws {
        try put("a|i:1;")
        let (server, id) = (server, id)
        let key = "\(prefix)\(id.text)"
        func life(after change: (any PHPSessionRecord) throws -> Bool) throws -> Int? {
            let record = try #require(try store().open(id, until: .patient))
            try #require(try change(record))
            return try Int(server.cli("TTL", key).trimmingCharacters(in: .whitespacesAndNewlines))
        }
        for change in [{ try $0.touch() }, { try $0.write(Array("a|i:2;".utf8), lastUse: nil) }]
            as [(any PHPSessionRecord) throws -> Bool]
        {
            _ = try server.cli("EXPIRE", key, "86400")
            #expect(try life(after: change) ?? 0 > 80_000)
            _ = try server.cli("EXPIRE", key, "5")
            #expect(try life(after: change) ?? 0 > 600)
            _ = try server.cli("PERSIST", key)
            #expect(try life(after: change) == -1)
        }
    }

    @Test("a page that has the session holds us until the deadline, and no longer; its lock stays")
    func held() throws {
        try put("a|i:1;")
        let page = try PHPPage(path, id.text, "hold")
        #expect(page.awaitHeld())
        let holder = try lock()
        let store = try store()
        let error = #expect(throws: PHPSessionStoreError.self) { try store.open(id, until: .impatient) }
        #expect(error?.code == .busy)
        #expect(try store.read(id, until: .impatient)?.bytes == Array("a|i:1;".utf8))
        #expect(try lock() == holder)
        try page.tell("set b 2")
        _ = try page.finish()
        let record = try #require(try store.open(id, until: .patient))
        #expect(String(decoding: record.bytes, as: UTF8.self) == "a|i:1;b|s:1:\"2\";")
        record.release()
    }

    @Test("a lock that has no expiry, as a killed page may leave it, is named; one that was lost is not written under")
    func brokenLocks() throws {
        try put("a|i:1;")
        _ = try server.cli("SET", prefix + id.text + "_LOCK", "host|1")
        let store = try store()
        let endless = #expect(throws: PHPSessionStoreError.self) { try store.open(id, until: .impatient) }
        #expect(endless?.reason.contains("redis.session.lock_expire") == true)
        _ = try server.cli("DEL", prefix + id.text + "_LOCK")
        let record = try #require(try store.open(id, until: .patient))
        _ = try server.cli("SET", prefix + id.text + "_LOCK", "host|2")
        #expect(throws: PHPSessionStoreError.self) { try record.write([], lastUse: nil) }
        #expect(try lock().hasPrefix("host|2"))
        #expect(try text().hasPrefix("a|i:1;"))
    }

    @Test("that a page has removed do not come back")
    func removed() throws {
        try put("a|i:1;")
        let store = try store()
        for end in [{ try $0.write([1], lastUse: nil) }, { try $0.touch() }, { try $0.remove() }]
            as [(any PHPSessionRecord) throws -> Bool]
        {
            try put("a|i:1;")
            let record = try #require(try store.open(id, until: .patient))
            _ = try server.cli("DEL", prefix + id.text)
            #expect(try !end(record))
            #expect(try store.read(id, until: .patient) == nil)
        }
        #expect(try store.open(PHPSessionID("nobodysid0123456789abcdef")!, until: .patient) == nil)
        #expect(try server.cli("EXISTS", prefix + "nobodysid0123456789abcdef_LOCK").hasPrefix("0"))
    }

    @Test("an address is read as PHP reads it")
    func savePaths() throws {
        for (text, address, user, prefix, database) in [
            ("tcp://127.0.0.1:6380", "127.0.0.1:6380", nil, "PHPREDIS_SESSION:", 0),
            ("tcp://cache?database=2&prefix=SHOP%3A&auth=a+b", "cache:6379", nil, "SHOP:", 2),
            (
                "tls://cache:6390?auth[]=ada&auth[]=pw&timeout=2.5&persistent=1&weight=1", "cache:6390", "ada",
                "PHPREDIS_SESSION:", 0
            ),
            (
                "unix:///run/redis.sock?auth[user]=ada&auth[pass]=pw", "unix:/run/redis.sock", "ada",
                "PHPREDIS_SESSION:", 0
            ),
            ("unix:/run/redis.sock", "unix:/run/redis.sock", nil, "PHPREDIS_SESSION:", 0),
        ] as [(String, String, String?, String, Int)] {
            let place = try RedisSavePath(text)
            #expect(place.servers.addresses.map { "\($0)" } == [address], "\(text)")
            #expect(place.servers.user == user && place.servers.database == database, "\(text)")
            #expect(place.prefix == Array(prefix.utf8), "\(text)")
        }
        for text in ["tcp://a:1, tcp://b:2", "/var/lib/php", "tcp://a?database=x", "tcp://a?seed=1", ""] {
            let error = #expect(throws: ConfigurationError.self) { try RedisSavePath(text) }
            #expect(error?.field == "session.save_path", "\(text)")
        }
    }
}
