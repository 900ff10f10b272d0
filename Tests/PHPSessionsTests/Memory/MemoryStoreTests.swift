import Foundation
import GalletaPlatform
import PHPSerialization
import Sessions
import SessionsTesting
import TestSupport
import Testing

@testable import PHPSessions

@Suite("Sessions of PHP in memory")
struct MemoryStoreTests {
    private let id = PHPSessionID("0123456789abcdefghijklmnop")!

    private func store(_ adjust: (inout MemoryStore.Configuration) -> Void = { _ in }) throws -> MemoryStore {
        var configuration = MemoryStore.Configuration(idleTimeout: .seconds(3_600))
        configuration.maxWaiters = 100
        adjust(&configuration)
        return try MemoryStore(configuration)
    }

    private func provider(_ store: MemoryStore, _ clock: WallClock) throws -> PHPMemoryProvider {
        var configuration = PHPProvider.Configuration()
        configuration.idleTimeout = .seconds(3_600)
        configuration.bePatient()
        configuration.clock = clock
        return try PHPMemoryProvider(store: store, configuration)
    }

    /// Where no pages are asked for their form of ids, values and rotations.
    private static let lacking = [
        "CollectingProvider", "keepsCap", "outage", "storedBytes", "traits.keepsKinds", "traits.keepsRotationGrace",
        "traits.remembersRotatedIDs", "traits.hasExactDeadlines",
    ]

    @Test("conform to the contract but for what PHP cannot keep", arguments: SessionProviderConformance.cases)
    func conforms(_ test: ConformanceCase) throws {
        let time = ManualSessionClock(start: .seconds(1_000_000_000))
        let clock = WallClock { time.now }
        let outcome = try test.run { _ in
            let codec = PHPSessionValues(userName: nil, format: .php, limits: PHPLimits())
            let store = try store {
                $0.clock = clock
                $0.owner = { codec.owner(of: $0) }
            }
            let make: @Sendable () throws -> PHPMemoryProvider = { try provider(store, clock) }
            var fixture = ConformanceFixture(provider: try make(), time: time)
            fixture.another = make
            fixture.reopen = make
            return fixture
        }
        #expect(outcome == .passed || Self.lacking.contains { "\(outcome)".contains("(\($0))") }, "\(outcome)")
    }

    @Test(
        "are counted on by pages with PHP's own patience and by us at once, and each counts",
        .enabled(if: PHPPage.hasRedis))
    func counts() throws {
        let fixture = try HandlerFixture()
        try fixture.put("a|i:1;")
        let pages = try (0..<6).map { _ in
            try PHPPage(fixture.savePath, fixture.id.text, "count", "200", locks: "default")
        }
        let failures = Cell<String>()
        let (store, id) = (fixture.store, fixture.id)
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            do {
                for _ in 0..<200 { try FileStoreWithPHPTests.count(store, id) }
            } catch {
                failures.set("\(error)")
            }
        }
        for page in pages { #expect(try page.finish().isEmpty) }
        #expect(failures.value == nil)
        #expect(fixture.text?.contains("both|i:1600;") == true, "\(fixture.text ?? "")")
        #expect(fixture.store.state.withLock { $0.locks.count } == 0)
    }

    @Test(
        "pages without locks that change different names lose none of them", .enabled(if: PHPPage.hasRedis))
    func withoutLocks() throws {
        let fixture = try HandlerFixture()
        try fixture.put("a|i:1;")
        let names = (0..<4).map { "name\($0)" }
        let pages = try names.map {
            try PHPPage(fixture.savePath, fixture.id.text, "count-name", "150", $0, locks: "0")
        }
        for page in pages { #expect(try page.finish().isEmpty) }
        for name in names { #expect(fixture.text?.contains("\(name)|i:150;") == true, "\(fixture.text ?? "")") }
        #expect(fixture.store.state.withLock { $0.merges } > 0)
    }

    @Test("a connection that PHP keeps is used again", .enabled(if: PHPPage.hasRedis))
    func keptConnection() throws {
        let fixture = try HandlerFixture()
        try fixture.put("a|i:1;")
        let page = try PHPPage(fixture.savePath + "?persistent=1", fixture.id.text, "count", "20", locks: "default")
        #expect(try page.finish().isEmpty)
        #expect(fixture.text?.contains("both|i:20;") == true)
        // That of `put`, and one of the page.
        #expect(fixture.store.state.withLock { $0.owners } == 2)
    }

    @Test("a page that is killed lets the next go on at once", .enabled(if: PHPPage.hasRedis))
    func killedPage() throws {
        let fixture = try HandlerFixture()
        try fixture.put("a|i:1;")
        let page = try PHPPage(fixture.savePath, fixture.id.text, "hold", locks: "default")
        #expect(page.awaitHeld())
        let next = try PHPPage(fixture.savePath, fixture.id.text, "count", "1", locks: "default")
        #expect(fixture.awaitWaiters(1))
        page.kill()
        #expect(try next.finish().isEmpty)
        #expect(fixture.text == "a|i:1;php|i:1;both|i:1;")
    }

    @Test("that were removed while we had them do not come back; a lock that has expired is not written under")
    func removed() throws {
        let store = try store { $0.lockExpiry = .milliseconds(20) }
        let digest = IDDigest(id)
        for end in [{ try $0.write([1], lastUse: nil) }, { try $0.touch() }, { try $0.remove() }]
            as [(any PHPSessionRecord) throws -> Bool]
        {
            let patient = try self.store()
            let made = try #require(try patient.create(id, until: .patient))
            #expect(try made.write([1], lastUse: nil))
            #expect(try patient.create(id, until: .patient) == nil)
            let record = try #require(try patient.open(id, until: .patient))
            #expect(patient.remove(digest).isRemoved)
            #expect(try !end(record))
            #expect(try patient.read(id, until: .patient) == nil)
            #expect(patient.state.withLock { $0.locks.count } == 0)
        }
        let made = try #require(try store.create(id, until: .patient))
        #expect(eventually { !made.isHeld })
        let error = #expect(throws: PHPSessionStoreError.self) { try made.write([1], lastUse: nil) }
        #expect(error?.code == .changed)
        #expect(try store.read(id, until: .patient) == nil)
    }

    @Test("of many with random deadlines and users those that have ended are gone, and the counts are right")
    func table() throws {
        var table = MemoryTable(maxSessions: 500, maxBytes: 1 << 20)
        var random = SystemRandomNumberGenerator()
        var known: [Int: (deadline: Int64, bytes: Int, user: ByteString?)] = [:]
        func digest(_ number: Int) -> IDDigest { IDDigest(PHPSessionID(ByteString("id\(number)"))!) }
        var now: Int64 = 0
        for _ in 0..<20_000 {
            now += 1
            let number = Int.random(in: 0..<400, using: &random)
            let deadline = now + .random(in: 1...2_000, using: &random)
            let isThere = known[number].map { $0.deadline > now } ?? false
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let user: ByteString? = Bool.random() ? ByteString("u\(number % 7)") : nil
                let bytes = [UInt8](repeating: 0, count: .random(in: 0..<500, using: &random))
                let isPut = table.put(
                    digest(number), bytes, deadline: deadline, owner: user.map { SessionOwner($0) }, at: now)
                #expect(isPut)
                known[number] = (deadline, bytes.count, user)
            case 5..<7:
                let isSet = table.setDeadline(deadline, of: digest(number), at: now)
                #expect(isSet == isThere)
                if isThere { known[number]!.deadline = deadline }
            case 7:
                let isRemoved = table.remove(digest(number), at: now)
                #expect(isRemoved == isThere)
                known[number] = nil
            case 8:
                let found = table.find(digest(number), at: now)
                #expect((found != nil) == isThere)
            default: _ = table.sweep(limit: 3, at: now)
            }
        }
        while table.sweep(limit: 64, at: now) {}
        known = known.filter { $0.value.deadline > now }
        #expect(table.count == known.count)
        #expect(table.byteCount == known.values.reduce(0) { $0 + 256 + $1.bytes + ($1.user?.count ?? 0) })
        for number in 0..<7 {
            let user = ByteString("u\(number)")
            let deadlines = known.values.filter { $0.user == user }.map(\.deadline).sorted(by: >)
            #expect(table.sessions(of: user, at: now).map(\.deadline) == deadlines)
        }
    }
}
