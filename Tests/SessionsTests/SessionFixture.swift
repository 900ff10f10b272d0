import MemorySessions
import Sessions
import SessionsTesting
import Testing

/// A manager over a memory provider whose clock the test moves.
struct SessionFixture {
    let time = ManualSessionClock()
    let provider: MemoryProvider
    let manager: SessionManager
    let events = EventLog()

    init(maximumSessions: Int = 1_000, _ adjust: (inout SessionConfiguration) -> Void = { _ in }) throws {
        var memory = MemoryProvider.Configuration()
        memory.clock = time.clock
        memory.maximumSessions = maximumSessions
        memory.collectsInBackground = false
        provider = try MemoryProvider(configuration: memory)
        var configuration = SessionConfiguration()
        configuration.onEvent = { [events] in events.append($0) }
        adjust(&configuration)
        manager = try SessionManager(provider: provider, configuration: configuration)
    }

    /// The session of a request with this cookie, or with none.
    func open(_ id: SessionID? = nil, isSecure: Bool = false) -> Session {
        manager.open(id.map { SessionIDCandidates($0) } ?? SessionIDCandidates(), isSecure: isSecure)
    }

    /// A session in the store; its id.
    func begin(_ write: (Session) throws -> Void = { try $0.set("k", "v") }) throws -> SessionID {
        let session = open()
        try write(session)
        return try #require(try session.commit().id)
    }
}

extension SessionCommit {
    /// The id in the cookie that is set; nil when none is.
    var id: SessionID? {
        guard let setCookie, let start = setCookie.firstIndex(of: "=") else { return nil }
        return SessionID(String(setCookie[setCookie.index(after: start)...].prefix(43)))
    }

    var isDeletion: Bool { setCookie?.contains("Max-Age=0;") ?? false }
}
