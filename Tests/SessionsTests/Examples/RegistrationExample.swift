import Sessions
import Testing

@Suite("A provider of one's own")
struct RegistrationExample {
    @Test("is made by its name")
    func registered() throws {
        let start = ContinuousClock.now
        SessionProviders.register("dictionary") { options in
            DictionaryProvider(now: { ContinuousClock.now - start })
        }
        let sessions = try SessionManager(provider: "dictionary", cookieName: "sid", maxLifetime: .seconds(3600))

        let session = sessions.open(SessionIDCandidates(), isSecure: false)
        try session.set("k", 1)
        #expect(try session.commit().setCookie != nil)
        #expect(try sessions.provider.count() == 1)
    }
}
