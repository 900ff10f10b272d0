import GalletaPlatform
import MemorySessions
import Sessions
import Testing

@Suite("A manager and what a provider can keep")
struct ProviderTraitsTests {
    /// The core of the memory provider, with traits and a form of ids of a test's choice.
    final class CoreProvider: SessionProvider {
        let base: MemoryProvider
        let traits: SessionProviderTraits
        let idFormat: SessionIDFormat
        let lookUps = Locked(0)

        init(
            _ traits: SessionProviderTraits = SessionProviderTraits(), idFormat: SessionIDFormat = .random
        ) throws {
            base = try MemoryProvider()
            self.traits = traits
            self.idFormat = idFormat
        }

        func lookUp(_ session: SessionHandle) throws -> SessionFinding {
            lookUps.withLock { $0 += 1 }
            return base.lookUp(session)
        }
        func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
            lookUps.withLock { $0 += 1 }
            return try base.lookUp(candidates)
        }
        func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation { base.create(id, draft) }
        func commit(
            _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
        ) throws -> SessionCommitOutcome {
            try base.commit(patch, to: session, expecting: version)
        }
        func touch(_ session: SessionHandle) throws -> SessionTouch { base.touch(session) }
        func destroy(_ session: SessionHandle) throws -> Bool { base.destroy(session) }
        func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
            base.rotate(session, to: new, grace: grace)
        }
        func close() { base.close() }
    }

    private func refusedField(
        _ traits: SessionProviderTraits = SessionProviderTraits(), _ adjust: (inout SessionConfiguration) -> Void
    ) throws -> String? {
        var configuration = SessionConfiguration()
        adjust(&configuration)
        do {
            _ = try SessionManager(provider: try CoreProvider(traits), configuration: configuration)
            return nil
        } catch let error as ConfigurationError {
            return error.field
        }
    }

    @Test("refuses by its name what was set and cannot be kept, be it set to its default")
    func refused() throws {
        #expect(try refusedField { $0.maximumSessionsPerUser = 100 } == "maximumSessionsPerUser")
        var traits = SessionProviderTraits()
        traits.keepsRotationGrace = false
        #expect(try refusedField(traits) { $0.rotationGrace = .seconds(10) } == "rotationGrace")
        traits = SessionProviderTraits()
        traits.remembersRotatedIDs = false
        #expect(try refusedField(traits) { $0.endsSessionOnIDReuse = true } == "endsSessionOnIDReuse")
        traits = SessionProviderTraits()
        traits.limits = SessionLimits(bytes: 1_000_000, keys: 1_000)
        #expect(try refusedField(traits) { $0.limits.bytes = 1_000_001 } == "limits.bytes")
        #expect(try refusedField(traits) { $0.limits.keys = 1_001 } == "limits.keys")
        #expect(try refusedField(traits) { $0.limits = SessionLimits(bytes: 1_000_000, keys: 1_000) } == nil)
    }

    @Test("lets what was set pass where the provider keeps it, and where nothing is asked for")
    func passes() throws {
        #expect(try refusedField { $0.maximumSessionsPerUser = nil } == nil)
        #expect(try refusedField { $0.rotationGrace = .seconds(10) } == nil)
        var traits = SessionProviderTraits()
        traits.keepsRotationGrace = false
        traits.remembersRotatedIDs = false
        #expect(try refusedField(traits) { $0.rotationGrace = .zero } == nil)
        #expect(try refusedField(traits) { _ in } == nil)
    }

    @Test("takes the provider's defaults for what was not set, and names what came of it")
    func defaults() throws {
        var traits = SessionProviderTraits()
        traits.keepsRotationGrace = false
        traits.defaults.cookieName = "PHPSESSID"
        traits.defaults.idleTimeout = .seconds(1440)
        traits.defaults.isPersistent = false
        traits.defaults.sameSite = .strict
        traits.defaults.cookiePath = "/shop"
        var configuration = SessionConfiguration()
        configuration.cookiePath = "/"
        let manager = try SessionManager(provider: try CoreProvider(traits), configuration: configuration)
        #expect(manager.cookie.name == "PHPSESSID" && manager.cookie.sameSite == .strict)
        #expect(manager.cookie.path == "/", "what was set counts")
        #expect(manager.configuration.idleTimeout == .seconds(1440) && !manager.configuration.isPersistent)
        #expect(manager.configuration.rotationGrace == .zero && manager.configuration.maximumSessionsPerUser == nil)
        #expect(manager.metrics.settings["maximumSessionsPerUser"] == "any number")
        #expect(manager.metrics.settings["idleTimeout"] == "\(Duration.seconds(1440))")
    }

    @Test("checks the provider's defaults as it does what was set")
    func badDefaults() throws {
        var traits = SessionProviderTraits()
        traits.defaults.absoluteTimeout = .seconds(60)
        #expect(throws: ConfigurationError.self) { try SessionManager(provider: try CoreProvider(traits)) }
    }

    @Test("throws rather than ending nothing in silence, where no session is found by its user")
    func noIndex() throws {
        let manager = try SessionManager(provider: try CoreProvider())
        let session = manager.open(SessionIDCandidates(), isSecure: false)
        try session.logIn(user: "ada")
        #expect(try session.commit().setCookie != nil)
        #expect(throws: SessionError.self) { try session.endOtherUserSessions() }
        #expect(throws: SessionError.self) { try session.userSessions(limit: 5) }
        let error = #expect(throws: SessionError.self) { try manager.endSessions(of: "ada") }
        #expect(error?.code == .unsupported)
    }

    @Test("refuses a lifetime of one session's own where there are none")
    func lifetimes() throws {
        var traits = SessionProviderTraits()
        traits.keepsLifetimes = false
        let manager = try SessionManager(provider: try CoreProvider(traits))
        let session = manager.open(SessionIDCandidates(), isSecure: false)
        let error = #expect(throws: SessionError.self) { try session.setLifetime(idleTimeout: .seconds(60)) }
        #expect(error?.code == .unsupported)
    }

    @Test("asks once for all ids of a request, found or not", arguments: [1, 2, 32])
    func lookUps(count: Int) throws {
        let provider = try CoreProvider()
        let manager = try SessionManager(provider: provider)
        var candidates = SessionIDCandidates()
        for _ in 0..<count { candidates.add(.random()) }
        let session = manager.open(candidates, isSecure: false)
        #expect(try session.get("k", as: Int.self) == nil)
        #expect(provider.lookUps.withLock { $0 } == 1)
        try session.destroy()
        #expect(provider.lookUps.withLock { $0 } == 1, "stale ids are not asked for again")
    }

    @Test("asks for nothing where a request has no id")
    func noIDs() throws {
        let provider = try CoreProvider()
        let session = try SessionManager(provider: provider).open(SessionIDCandidates(), isSecure: false)
        #expect(try session.isNew)
        #expect(provider.lookUps.withLock { $0 } == 0)
    }

    @Test("reads ids of a provider's own form from the cookie, percent signs and all")
    func ownForm() throws {
        let format = SessionIDFormat(
            parse: { value in
                value.elementsEqual("a%2Cb".utf8) ? SessionID(foreign: "a,b-0123456789abcdefghij".utf8) : nil
            },
            draw: { SessionID(foreign: "0123456789abcdefghijklmnop".utf8)! })
        let manager = try SessionManager(provider: try CoreProvider(idFormat: format))
        for (header, isFound) in [
            ("sid=a%2Cb", true), ("x=1; sid=a%2Cb ;y=2", true), ("x=1;sid=a%2Cb", true), ("xsid=a%2Cb", false),
            ("sid=a%2Cbc", false), ("sid=", false), ("sid", false), ("", false), ("x=sid=a%2Cb", false),
        ] {
            var candidates = SessionIDCandidates()
            Array(header.utf8).withUnsafeBytes { manager.collectIDs(from: $0, into: &candidates) }
            #expect(candidates.count == (isFound ? 1 : 0), "\(header)")
        }
    }
}
