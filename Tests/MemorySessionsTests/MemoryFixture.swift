import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

/// A memory provider with a clock that stands still and no collection in the background.
struct MemoryFixture {
    let time = ManualSessionClock()
    let provider: MemoryProvider

    init(maximumSessions: Int = 1_000_000, maximumBytes: Int = 1 << 30) throws {
        provider = try MemoryProviderTests.make(
            time, maximumSessions: maximumSessions, maximumBytes: maximumBytes)
    }

    struct NotCreated: Error {
        let outcome: SessionCreation
    }

    /// Begins a session, of a user if one is given, with a text of `size` bytes.
    @discardableResult
    func begin(
        _ user: ByteString? = nil, id: SessionID = .random(), size: Int = 1, idle: Duration = .seconds(1_000),
        absolute: Duration = .seconds(100_000)
    ) throws -> SessionID {
        let outcome = try create(user, id: id, size: size, idle: idle, absolute: absolute)
        guard case .created = outcome else { throw NotCreated(outcome: outcome) }
        return id
    }

    func create(
        _ user: ByteString? = nil, id: SessionID = .random(), size: Int = 1, idle: Duration = .seconds(1_000),
        absolute: Duration = .seconds(100_000)
    ) throws -> SessionCreation {
        var values: [(SessionKey, SessionValue)] = [(SessionKey("text"), .string(String(repeating: "x", count: size)))]
        if let user { values.append((.user, .name(user))) }
        let draft = SessionDraft(values: try SessionValues(values), idleTimeout: idle, absoluteTimeout: absolute)
        return provider.create(id, draft)
    }

    /// Begins `count` sessions, each a second after the one before.
    func begin(_ count: Int) throws -> [SessionID] {
        try (0..<count).map { _ in
            time.advance(by: .seconds(1))
            return try begin()
        }
    }

    @discardableResult
    func set(
        _ value: SessionValue?, for key: SessionKey, in id: SessionID, touches: Bool = false,
        lifetime: SessionLifetime? = nil
    ) throws -> SessionCommitOutcome {
        var patch = SessionPatch()
        if let value { try patch.set(value, for: key) } else { patch.remove(key) }
        patch.touches = touches
        patch.lifetime = lifetime
        return try provider.commit(patch, to: id, expecting: nil)
    }

    func logIn(_ id: SessionID, as user: ByteString) throws {
        try set(.name(user), for: .user, in: id)
    }

    func references(_ user: ByteString) -> [SessionReference] {
        provider.sessions(of: user, current: nil, limit: .max).sessions.map(\.reference)
    }
}
