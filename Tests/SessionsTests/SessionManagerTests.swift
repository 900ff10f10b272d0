import MemorySessions
import Sessions
import Testing

@Suite("The session manager")
struct SessionManagerTests {
    @Test("finds its provider by name")
    func byName() throws {
        MemoryProvider.register()
        MemoryProvider.register()
        let manager = try SessionManager(provider: "memory", cookieName: "visitor", maxLifetime: .seconds(86_400 * 30))
        #expect(manager.provider is MemoryProvider)
        #expect(manager.cookie.name == "visitor")
        #expect(manager.configuration.idleTimeout == .seconds(86_400 * 30))
        #expect(SessionProviders.names.contains("memory"))
    }

    @Test("says which names there are when one is unknown")
    func unknownName() throws {
        MemoryProvider.register()
        let error = #expect(throws: ConfigurationError.self) {
            try SessionManager(provider: "mermory", maxLifetime: .seconds(1))
        }
        #expect(error?.field == "provider")
        #expect(error?.description.contains("\"mermory\"") == true)
        #expect(error?.description.contains("memory") == true)
        #expect(error?.description.contains("register()") == true)
    }

    @Test("names maxLifetime when that is what cannot be", arguments: [0, -1, 1 << 40])
    func lifetime(seconds: Int) {
        MemoryProvider.register()
        let error = #expect(throws: ConfigurationError.self) {
            try SessionManager(provider: "memory", maxLifetime: .seconds(seconds))
        }
        #expect(error?.field == "maxLifetime")
    }

    @Test("passes parameters to the provider, which knows them or says so")
    func parameters() throws {
        MemoryProvider.register()
        for parameters in [["maximumSessions": "x"], ["maximumSessions": "0"], ["colour": "red"]] {
            let error = #expect(throws: ConfigurationError.self) {
                try SessionManager(provider: "memory", parameters: parameters, configuration: SessionConfiguration())
            }
            #expect(error?.description.contains(parameters.keys.first!) == true)
        }
        _ = try SessionManager(
            provider: "memory", parameters: ["maximumSessions": "5"], configuration: SessionConfiguration())
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let field: String
        let change: @Sendable (inout SessionConfiguration) -> Void
        var testDescription: String { field }
    }

    @Test(
        "refuses a configuration that cannot be and names the field",
        arguments: [
            Wrong(field: "idleTimeout") { $0.idleTimeout = .zero },
            Wrong(field: "idleTimeout") { $0.idleTimeout = .seconds(1 << 40) },
            Wrong(field: "absoluteTimeout") { $0.absoluteTimeout = .seconds(60) },
            Wrong(field: "touchInterval") { $0.touchInterval = .seconds(3000) },
            Wrong(field: "touchInterval") { $0.touchInterval = .seconds(-1) },
            Wrong(field: "rotationGrace") { $0.rotationGrace = .seconds(3600) },
            Wrong(field: "limits.bytes") { $0.limits.bytes = 0 },
            Wrong(field: "limits.keys") { $0.limits.keys = 0 },
            Wrong(field: "cookieName") { $0.cookieName = "a b" },
            Wrong(field: "cookiePath") { $0.cookiePath = "x" },
            Wrong(field: "cookieDomain") { $0.cookieDomain = "a b" },
        ])
    func refuses(wrong: Wrong) throws {
        let provider = try MemoryProvider()
        var configuration = SessionConfiguration()
        wrong.change(&configuration)
        let error = #expect(throws: ConfigurationError.self) {
            try SessionManager(provider: provider, configuration: configuration)
        }
        #expect(error?.field == wrong.field && error?.remedy.isEmpty == false)
    }

    @Test("makes every failure of the provider a SessionStoreError, with an event and no cookie")
    func storeDown() throws {
        let events = EventLog()
        var configuration = SessionConfiguration()
        configuration.onEvent = { events.append($0) }
        let manager = try SessionManager(provider: BrokenProvider(), configuration: configuration)
        let session = manager.open(SessionIDCandidates(.random()), isSecure: false)
        for _ in 0..<2 {
            #expect(throws: SessionStoreError.self) { try session.get("k", as: Int.self) }
            #expect(throws: SessionStoreError.self) { try session.set("k", 1) }
            #expect(throws: SessionStoreError.self) { try session.destroy() }
        }
        #expect(events.count("storeFailed") == 6)
        let commit = session.discard()
        #expect(commit.setCookie == nil)
        let fresh = manager.open(SessionIDCandidates(), isSecure: false)
        try fresh.set("k", 1)
        let error = #expect(throws: SessionStoreError.self) { try fresh.commit() }
        #expect(error?.underlying is BrokenProvider.Down)
        #expect(fresh.discard().setCookie == nil)
    }
}

/// A store that is down.
final class BrokenProvider: UserIndexedProvider {
    struct Down: Error {}

    func lookUp(_ session: SessionHandle) throws -> SessionFinding { throw Down() }
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation { throw Down() }
    func commit(_ patch: SessionPatch, to session: SessionHandle, expecting: UInt64?) throws -> SessionCommitOutcome {
        throw Down()
    }
    func touch(_ session: SessionHandle) throws -> SessionTouch { throw Down() }
    func destroy(_ session: SessionHandle) throws -> Bool { throw Down() }
    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation { throw Down() }
    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList { throw Down() }
    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool { throw Down() }
    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int { throw Down() }
    func statistics() throws -> SessionStoreStatistics { throw Down() }
    func close() {}
}
