import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("Replaced ids in the memory provider")
struct MemoryRetirementTests {
    let memory: MemoryFixture
    var provider: MemoryProvider { memory.provider }

    init() throws {
        memory = try MemoryFixture()
    }

    @Test("are remembered for an hour, with their age and successor", arguments: [0, 10])
    func remembered(grace: Int) throws {
        let (id, new) = (try memory.begin(idle: .seconds(50_000)), SessionID.random())
        #expect(provider.retirement(of: id) == nil)
        _ = provider.rotate(id, to: new, grace: .seconds(grace))
        memory.time.advance(by: .seconds(10))
        #expect(provider.read(id) == nil && provider.touch(id) == .gone && !provider.destroy(id))
        guard case .gone = provider.rotate(id, to: .random(), grace: .zero),
            case .gone = try memory.set(1, for: SessionKey("n"), in: id)
        else {
            Issue.record("a retired id leads somewhere")
            return
        }
        let retirement = try #require(provider.retirement(of: id))
        #expect(retirement.age == .seconds(10) && retirement.successor == new)
        _ = provider.collect(limit: .max)
        #expect(provider.retirement(of: id) != nil)
        memory.time.advance(by: .seconds(3_590))
        #expect(provider.retirement(of: id) == nil)
        #expect(provider.collect(limit: .max).removed == 0)
        #expect(provider.store.slotCount == 1 && provider.read(new) != nil)
    }

    @Test("count as no sessions, and are taken for no new one")
    func noSessions() throws {
        let (id, new) = (try memory.begin(), SessionID.random())
        _ = provider.rotate(id, to: new, grace: .zero)
        #expect(provider.count() == 1 && provider.statistics().sessions == 1)
        guard case .exists = try memory.create(id: id) else {
            Issue.record("a retired id began anew")
            return
        }
        guard case .taken = provider.rotate(new, to: id, grace: .zero) else {
            Issue.record("a session went back to a retired id")
            return
        }
        memory.time.advance(by: .seconds(3_600))
        try memory.begin(id: id)
    }

    @Test("are told of through a chain, to the session as it is now")
    func chain() throws {
        let ids = [try memory.begin()] + (0..<20).map { _ in SessionID.random() }
        for step in 0..<20 { _ = provider.rotate(ids[step], to: ids[step + 1], grace: .seconds(step % 2)) }
        for step in 0..<19 { #expect(provider.retirement(of: ids[step])?.successor == ids[step + 1]) }
        #expect(provider.read(ids[19])?.successor == ids[20], "within its grace an id leads on")
        #expect(provider.retirement(of: ids[20]) == nil)
        _ = provider.destroy(ids[20])
        for step in 0..<20 { #expect(provider.retirement(of: ids[step]) == nil) }
    }

    @Test("make room for each other at the cap of bytes; a grace is kept even then")
    func atTheCap() throws {
        let memory = try MemoryFixture(maximumBytes: 4_000)
        var id = try memory.begin("ada")
        for _ in 0..<200 {
            let new = SessionID.random()
            _ = memory.provider.rotate(id, to: new, grace: .zero)
            id = new
            #expect(try #require(memory.provider.statistics().bytes) <= 4_000)
        }
        #expect(memory.provider.store.slotCount > 5)
        // From then on each new session of hers takes the place of an older one.
        var held = -1
        while memory.provider.count() > held {
            held = memory.provider.count()
            _ = try memory.create("ada")
        }
        id = try memory.begin("ada")
        let slots = memory.provider.store.slotCount
        #expect(slots == memory.provider.count())
        let (second, third) = (SessionID.random(), SessionID.random())
        _ = memory.provider.rotate(id, to: second, grace: .zero)
        #expect(memory.provider.retirement(of: id) == nil)
        _ = memory.provider.rotate(second, to: third, grace: .seconds(10))
        #expect(memory.provider.read(second)?.successor == third)
        #expect(memory.provider.store.slotCount == slots + 1)
    }
}
