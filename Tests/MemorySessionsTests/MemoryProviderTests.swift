import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("The memory provider")
struct MemoryProviderTests {
    let time = ManualSessionClock()
    let provider: MemoryProvider

    init() throws {
        provider = try Self.make(time)
    }

    static func make(_ time: ManualSessionClock, maximumSessions: Int = 1_000_000) throws -> MemoryProvider {
        var configuration = MemoryProvider.Configuration()
        configuration.clock = time.clock
        configuration.maximumSessions = maximumSessions
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
        #expect(provider.touch(id) == nil)
        #expect(!provider.destroy(id))
        guard case .gone = provider.commit(try patch("n", 1), to: id, expecting: nil) else {
            Issue.record("a commit reached an expired session")
            return
        }
        #expect(provider.collect(limit: 10).removed == 1)
        #expect(provider.count() == 0)
    }
}
