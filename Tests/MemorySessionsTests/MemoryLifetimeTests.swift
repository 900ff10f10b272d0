import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("Lifetimes in the memory provider")
struct MemoryLifetimeTests {
    let memory: MemoryFixture
    var provider: MemoryProvider { memory.provider }

    init() throws {
        memory = try MemoryFixture()
    }

    private func patch(_ idle: Int64, _ absolute: Int64, touches: Bool = false) -> SessionPatch {
        var patch = SessionPatch()
        patch.lifetime = SessionLifetime(idleTimeout: .seconds(idle), absoluteTimeout: .seconds(absolute))
        patch.touches = touches
        return patch
    }

    @Test("sets both timeouts, counted from the last visit and from the beginning, and leaves the version")
    func sets() throws {
        let id = try memory.begin(idle: .seconds(100), absolute: .seconds(1_000))
        memory.time.advance(by: .seconds(60))
        let before = try #require(provider.read(id))
        guard case .committed(let version, _, _) = try provider.commit(patch(5_000, 9_000), to: id, expecting: nil)
        else {
            Issue.record("not committed")
            return
        }
        let after = try #require(provider.read(id))
        #expect(version == before.version && after.values == before.values)
        #expect(after.idleRemaining == .seconds(4_940))
        #expect(after.absoluteRemaining == .seconds(8_940))
        _ = try provider.commit(patch(5_000, 9_000, touches: true), to: id, expecting: nil)
        #expect(provider.read(id)?.idleRemaining == .seconds(5_000))
    }

    @Test("collects a session whose deadline became earlier in time, beside ones that stayed")
    func earlier() throws {
        let ids = try memory.begin(100)
        for id in ids.prefix(30) { _ = try provider.commit(patch(200, 9_000), to: id, expecting: nil) }
        memory.time.advance(by: .seconds(200))
        #expect(provider.collect(limit: .max).removed == 30)
        #expect(ids.filter { provider.read($0) != nil } == Array(ids.dropFirst(30)))
    }

    @Test("keeps a session whose deadline became later")
    func later() throws {
        let id = try memory.begin(idle: .seconds(10), absolute: .seconds(10))
        _ = try provider.commit(patch(1_000, 2_000), to: id, expecting: nil)
        memory.time.advance(by: .seconds(999))
        #expect(provider.collect(limit: .max).removed == 0)
        #expect(provider.read(id)?.remaining == .seconds(1))
    }

    @Test("removes a session that has passed its new deadline, unless the visit counts")
    func over() throws {
        for touches in [false, true] {
            let id = try memory.begin("ada")
            memory.time.advance(by: .seconds(50))
            let outcome = try provider.commit(patch(50, 100, touches: touches), to: id, expecting: nil)
            if touches {
                guard case .committed = outcome else { throw MemoryProviderTests.Refused() }
                #expect(provider.read(id)?.remaining == .seconds(50))
            } else {
                guard case .gone = outcome else { throw MemoryProviderTests.Refused() }
                #expect(provider.count() == 0)
            }
        }
        let id = try memory.begin()
        memory.time.advance(by: .seconds(50))
        guard case .gone = try provider.commit(patch(100, 50, touches: true), to: id, expecting: nil) else {
            throw MemoryProviderTests.Refused()
        }
        #expect(provider.statistics().expired == 2)
    }

    @Test("takes lifetimes beyond all time, and a conflict leaves the old one")
    func extremes() throws {
        let id = try memory.begin(idle: .seconds(100))
        _ = try provider.commit(patch(1, 1), to: id, expecting: 99)
        #expect(provider.read(id)?.remaining == .seconds(100))
        _ = try provider.commit(patch(.max, .max), to: id, expecting: nil)
        memory.time.advance(by: .seconds(1_000_000_000))
        #expect(provider.collect(limit: .max).removed == 0)
        #expect(provider.touch(id) != .gone)
    }
}
