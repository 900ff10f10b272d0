import GalletaPlatform
import MemorySessions
import Sessions
import SessionsTesting
import TestSupport
import Testing

@Suite("Collection in the memory provider")
struct MemoryCollectionTests {
    let time = ManualSessionClock()

    func fill(_ provider: MemoryProvider, _ count: Int, idle: Duration) -> [SessionID] {
        let draft = SessionDraft(values: SessionValues(), idleTimeout: idle, absoluteTimeout: .seconds(100_000))
        return (0..<count).map { _ in
            let id = SessionID.random()
            _ = provider.create(id, draft)
            return id
        }
    }

    @Test("honours its limit, takes the expired only, and drains over repeated calls")
    func limits() throws {
        let provider = try MemoryProviderTests.make(time)
        _ = fill(provider, 1_000, idle: .seconds(10))
        let kept = fill(provider, 1_000, idle: .seconds(20))
        #expect(provider.collect(limit: 100).removed == 0)
        time.advance(by: .seconds(10))
        var removed = 0
        while true {
            let slice = provider.collect(limit: 7)
            #expect(slice.removed <= 7)
            removed += slice.removed
            if !slice.hasMore { break }
        }
        #expect(removed == 1_000)
        #expect(provider.count() == 1_000)
        #expect(kept.allSatisfy { provider.read($0) != nil })
    }

    @Test("spares what was touched, however far the clock jumps", arguments: [1, 100, 31_536_000])
    func touchedStay(jump: Int) throws {
        let provider = try MemoryProviderTests.make(time)
        let ids = fill(provider, 500, idle: .seconds(jump))
        time.advance(by: .seconds(jump) - .milliseconds(1))
        for id in ids.prefix(100) { _ = provider.touch(id) }
        time.advance(by: .milliseconds(1))
        #expect(provider.collect(limit: .max).removed == (jump < 100_000 ? 400 : 500))
        time.advance(by: .seconds(jump * 2))
        _ = provider.collect(limit: .max)
        #expect(provider.count() == 0)
    }

    @Test("stays short when thousands of visited sessions stand before the expired ones")
    func boundedLooks() throws {
        let provider = try MemoryProviderTests.make(time)
        let visited = fill(provider, 5_000, idle: .seconds(10))
        time.advance(by: .seconds(9))
        for id in visited { _ = provider.touch(id) }
        _ = fill(provider, 8, idle: .seconds(2))
        time.advance(by: .seconds(3))
        // All 5,008 are to be looked at to find the 8; one call for 10 does not do that.
        var calls = 0
        var removed = 0
        repeat {
            let slice = provider.collect(limit: 10)
            calls += 1
            removed += slice.removed
            if !slice.hasMore { break }
        } while calls < 10_000
        #expect(removed == 8)
        #expect(calls >= 5_008 / 256)
        #expect(provider.count() == 5_000)
    }

    @Test("takes short-lived sessions from behind long-lived ones and the other way round")
    func order() throws {
        let provider = try MemoryProviderTests.make(time)
        var deadlines: [SessionID: Int] = [:]
        for _ in 0..<5_000 {
            let idle = Int.random(in: 1...1_000)
            deadlines[fill(provider, 1, idle: .seconds(idle))[0]] = idle
        }
        for now in stride(from: 50, through: 1_000, by: 50) {
            time.advance(by: .seconds(50))
            _ = provider.collect(limit: .max)
            #expect(provider.count() == deadlines.values.filter { $0 > now }.count)
        }
    }

    @Test("clears 200,000 expired sessions from behind a fresh one in the background, while requests go on")
    func background() async throws {
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        configuration.maximumSessions = 300_000
        let provider = try MemoryProvider(configuration: configuration)
        let fresh = fill(provider, 1, idle: .seconds(50_000))[0]
        _ = fill(provider, 200_000, idle: .seconds(10))
        time.advance(by: .seconds(10))
        let manager = try SessionManager(provider: provider)
        let start = BootInstant.now
        var visits = 0
        while provider.count() > 1, start.duration(to: .now) < .seconds(120) {
            let session = manager.open(SessionIDCandidates(fresh), isSecure: false)
            visits = try await session.update("n", default: 0) {
                $0 += 1
                return $0
            }
            _ = try session.commit()
            if visits % 64 == 0 { await Task.yield() }
        }
        #expect(provider.count() == 1)
        #expect(visits > 0)
        #expect(provider.read(fresh)?.values["n"] == .int(Int64(visits)))
        provider.close()
    }

    @Test("ends with the provider, closed or just let go")
    func ends() throws {
        weak var weakProvider: MemoryProvider?
        do {
            let provider = try MemoryProvider()
            weakProvider = provider
            provider.close()
            provider.close()
        }
        #expect(weakProvider == nil)
        do {
            let provider = try MemoryProvider()
            weakProvider = provider
        }
        #expect(weakProvider == nil)
    }

    @Test("loses no live session beside creations, touches, rotations and removals from many threads")
    func concurrency() async throws {
        let provider = try MemoryProviderTests.make(time)
        let survivors = try await withThrowingTaskGroup(of: [SessionID].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var kept: [SessionID] = []
                    for round in 0..<400 {
                        let id = fill(provider, 1, idle: .seconds(round % 2 == 0 ? 10 : 5_000))[0]
                        guard round % 2 == 1 else { continue }
                        let new = SessionID.random()
                        _ = provider.rotate(id, to: new, grace: .seconds(round % 3))
                        if round % 5 == 0 { _ = provider.destroy(id) } else { kept.append(new) }
                        if round % 5 == 0 { _ = provider.destroy(new) }
                        _ = provider.touch(new)
                    }
                    return kept
                }
            }
            group.addTask {
                for _ in 0..<200 {
                    time.advance(by: .milliseconds(100))
                    _ = provider.collect(limit: 50)
                }
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        time.advance(by: .seconds(20))
        _ = provider.collect(limit: .max)
        #expect(provider.count() == survivors.count)
        #expect(survivors.allSatisfy { provider.read($0) != nil })
    }

    @Test("in the background says how long what is due has waited, and how long it held a lock")
    func figures() throws {
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        // Should a busy machine let the first run pass before the sessions are there, it is tried again.
        var lag: Duration?
        for _ in 0..<3 where lag != .seconds(400) {
            let provider = try MemoryProvider(configuration: configuration)
            defer { provider.close() }
            _ = fill(provider, 10, idle: .seconds(3_600))
            // The first run; the next one comes in half a minute.
            #expect(eventually(within: 30) { provider.statistics().lastSlice ?? .zero > .zero })
            #expect(provider.statistics().collectionLag == .zero)
            time.advance(by: .seconds(4_000))
            lag = provider.statistics().collectionLag
        }
        #expect(lag == .seconds(400))
        let other = try MemoryProviderTests.make(time).statistics()
        #expect(other.collectionLag == nil && other.sinceSaved == nil && other.saveFailures == nil)
    }
}
