import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("The memory provider")
struct MemoryProviderTests {
    let time = ManualSessionClock()
    let provider: MemoryProvider

    init() throws {
        provider = try Self.make(time)
    }

    static func make(
        _ time: ManualSessionClock, maximumSessions: Int = 1_000_000, maximumBytes: Int = 1 << 30
    ) throws -> MemoryProvider {
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        configuration.maximumSessions = maximumSessions
        configuration.maximumBytes = maximumBytes
        configuration.collectsInBackground = false
        return try MemoryProvider(configuration: configuration)
    }

    @discardableResult
    func begin(
        _ id: SessionID = .random(), idle: Duration = .seconds(100), absolute: Duration = .seconds(1_000)
    ) throws -> SessionID {
        let values = try SessionValues([(SessionKey("n"), .int(0))])
        let draft = SessionDraft(values: values, idleTimeout: idle, absoluteTimeout: absolute)
        guard case .created = provider.create(id, draft) else { throw Refused() }
        return id
    }

    struct Refused: Error {}

    func patch(_ key: String, _ value: SessionValue?, touches: Bool = false) throws -> SessionPatch {
        var patch = SessionPatch()
        if let value { try patch.set(value, for: SessionKey(key)) } else { patch.remove(SessionKey(key)) }
        patch.touches = touches
        return patch
    }

    @Test("ends a session at the very instant of its deadline")
    func exactDeadline() throws {
        let id = try begin()
        time.advance(by: .seconds(100) - .nanoseconds(1))
        #expect(provider.read(id)?.remaining == .nanoseconds(1))
        time.advance(by: .nanoseconds(1))
        #expect(provider.read(id) == nil)
        #expect(provider.touch(id) == .gone)
        #expect(!provider.destroy(id))
        guard case .gone = try provider.commit(try patch("n", 1), to: id, expecting: nil) else {
            Issue.record("a commit reached an expired session")
            return
        }
        #expect(provider.collect(limit: 10).removed == 1)
        #expect(provider.count() == 0)
    }

    @Test("extends the idle timeout by a touch, never past the absolute one, and keeps values written meanwhile")
    func touches() throws {
        let id = try begin()
        time.advance(by: .seconds(60))
        _ = try provider.commit(try patch("late", true), to: id, expecting: nil)
        #expect(provider.read(id)?.idle == .seconds(60))
        #expect(provider.touch(id) == .touched(remaining: .seconds(100)))
        #expect(provider.read(id)?.values["late"] == true)
        for _ in 0..<15 {
            time.advance(by: .seconds(60))
            _ = provider.touch(id)
        }
        #expect(provider.read(id)?.remaining == .seconds(40))
        time.advance(by: .seconds(40))
        #expect(provider.read(id) == nil)
    }

    @Test("commits on the expected version only, and hands back the record on a conflict")
    func compareAndSet() throws {
        let id = try begin()
        let version = try #require(provider.read(id)).version
        guard case .committed(let next, _, _) = try provider.commit(try patch("n", 1), to: id, expecting: version)
        else {
            Issue.record("not committed")
            return
        }
        #expect(next != version)
        guard case .conflict(let record) = try provider.commit(try patch("n", 2), to: id, expecting: version) else {
            Issue.record("a stale version was taken")
            return
        }
        #expect(record.version == next)
        #expect(record.values["n"] == 1)
        guard case .committed(let same, _, _) = try provider.commit(SessionPatch(), to: id, expecting: next) else {
            Issue.record("an empty patch was refused")
            return
        }
        #expect(same == next)
    }

    @Test("touches by a commit only if the patch says so")
    func commitTouches() throws {
        let id = try begin()
        time.advance(by: .seconds(10))
        _ = try provider.commit(try patch("n", 1), to: id, expecting: nil)
        #expect(provider.read(id)?.idle == .seconds(10))
        _ = try provider.commit(try patch("n", 2, touches: true), to: id, expecting: nil)
        #expect(provider.read(id)?.idle == .zero)
    }

    @Test("refuses a second session under one id, the first stays")
    func createTwice() throws {
        let id = try begin()
        _ = try provider.commit(try patch("n", 5), to: id, expecting: nil)
        let draft = SessionDraft(values: SessionValues(), idleTimeout: .seconds(1), absoluteTimeout: .seconds(1))
        guard case .exists = provider.create(id, draft) else {
            Issue.record("a session was overwritten")
            return
        }
        #expect(provider.read(id)?.values["n"] == 5)
        #expect(provider.count() == 1)
    }

    @Test("removes once, and creates nothing by a commit, touch or rotation afterwards")
    func destroys() throws {
        let id = try begin()
        let other = try begin()
        #expect(provider.destroy(id))
        #expect(!provider.destroy(id))
        _ = try provider.commit(try patch("n", 1), to: id, expecting: nil)
        #expect(provider.touch(id) == .gone)
        guard case .gone = provider.rotate(id, to: .random(), grace: .zero) else {
            Issue.record("a dead session was rotated")
            return
        }
        #expect(provider.read(id) == nil)
        #expect(provider.read(other) != nil)
        #expect(provider.count() == 1)
    }

    @Test("rotates within a shard and across, with and without grace", arguments: [0, 10])
    func rotates(grace: Int) throws {
        for _ in 0..<600 {
            let id = try begin()
            time.advance(by: .milliseconds(1))
            let new = SessionID.random()
            let before = try #require(provider.read(id))
            guard case .rotated = provider.rotate(id, to: new, grace: .seconds(grace)) else {
                Issue.record("not rotated")
                return
            }
            let after = try #require(provider.read(new))
            #expect(after.remaining == before.remaining && after.age == before.age && after.version == before.version)
            #expect(after.successor == nil)
            #expect(provider.read(id)?.successor == (grace > 0 ? new : nil))
        }
        #expect(provider.count() == 600)
    }

    @Test("kills an alias with its successor, and its successor through it")
    func aliasDies() throws {
        for viaAlias in [false, true] {
            let (id, new) = (try begin(), SessionID.random())
            _ = provider.rotate(id, to: new, grace: .seconds(10))
            _ = try provider.commit(try patch("n", 7), to: id, expecting: nil)
            #expect(provider.read(new)?.values["n"] == 7)
            #expect(provider.destroy(viaAlias ? id : new))
            #expect(provider.read(id) == nil)
            #expect(provider.read(new) == nil)
        }
        time.advance(by: .seconds(11))
        #expect(provider.collect(limit: 100).removed == 0)
        #expect(provider.count() == 0)
    }

    @Test("names the successor to a commit, a conflict and a touch that come by the old id")
    func namesSuccessor() throws {
        let (id, new) = (try begin(), SessionID.random())
        _ = provider.rotate(id, to: new, grace: .seconds(10))
        for (asked, expected) in [(id, new as SessionID?), (new, nil)] {
            guard
                case .committed(_, _, let successor) = try provider.commit(try patch("n", 1), to: asked, expecting: nil),
                case .conflict(let record) = try provider.commit(try patch("n", 1), to: asked, expecting: 0)
            else {
                Issue.record("neither committed nor refused")
                return
            }
            #expect(successor == expected)
            #expect(record.successor == expected)
            #expect(provider.touch(asked) == .touched(remaining: .seconds(100), successor: expected))
        }
    }

    @Test("lets an id be used again once its session has expired, collected or not")
    func expiredIDIsFree() throws {
        let id = try begin()
        time.advance(by: .seconds(100))
        try begin(id)
        #expect(provider.count() == 1)
        #expect(provider.read(id)?.age == .zero)
    }

    @Test("follows a chain of rotations within the grace to the last id")
    func chain() throws {
        let ids = [try begin()] + (0..<3).map { _ in SessionID.random() }
        for step in 0..<3 { _ = provider.rotate(ids[step], to: ids[step + 1], grace: .seconds(10)) }
        #expect(provider.read(ids[0])?.successor == ids[3])
        guard case .successor(let last) = provider.rotate(ids[0], to: .random(), grace: .seconds(10)) else {
            Issue.record("a latecomer rotated")
            return
        }
        #expect(last == ids[3])
    }

    @Test("leaves both sessions intact when the new id is taken")
    func rotateOntoTaken() throws {
        let (one, two) = (try begin(), try begin())
        guard case .taken = provider.rotate(one, to: two, grace: .zero) else {
            Issue.record("a session was overwritten")
            return
        }
        #expect(provider.read(one) != nil && provider.read(two) != nil)
    }

    @Test("finds each of many sessions while others come and go")
    func churn() throws {
        var live: [SessionID: Int64] = [:]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<40_000 {
            if live.count < 5_000 || Bool.random(using: &generator) {
                let id = try begin()
                _ = try provider.commit(try patch("n", .int(Int64(round))), to: id, expecting: nil)
                live[id] = Int64(round)
            } else if let id = live.keys.first {
                #expect(provider.destroy(id))
                live[id] = nil
            }
        }
        #expect(provider.count() == live.count)
        for (id, round) in live {
            #expect(provider.read(id)?.values["n"] == .int(round))
        }
        for id in live.keys { #expect(provider.destroy(id)) }
        #expect(provider.count() == 0)
    }
}
