import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("Saving before the end of a request")
struct SessionSaveTests {
    @Test("begins the session, and its cookie goes out with the answer")
    func begins() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        #expect(try session.save() == .unchanged)
        try session.set("k", 1)
        #expect(try session.save() == .saved)
        #expect(fixture.provider.count() == 1)
        let id = try #require(try session.commit().id)
        #expect(try fixture.open(id).get("k", as: Int.self) == 1)
    }

    @Test("does not make a new session look as if its visitor had come back: it goes before one who did")
    func neverCameBack() throws {
        let fixture = try SessionFixture(maximumSessions: 2)
        let returned = try fixture.begin()
        fixture.time.advance(by: .seconds(1))
        #expect(try fixture.open(returned).keys == ["k"])
        fixture.time.advance(by: .seconds(1))
        let saved = try fixture.begin {
            try $0.set("k", 1)
            try $0.save()
        }
        _ = try fixture.begin()
        #expect(try fixture.open(saved).keys == [])
        #expect(try fixture.open(returned).keys == ["k"])
    }

    @Test("keeps what is saved when the handler throws afterwards, and nothing else")
    func survivesFailure() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.set("kept", 1)
        try session.save()
        try session.set("dropped", 1)
        let id = try #require(session.discard().id)
        #expect(try fixture.open(id).keys == ["kept"])
    }

    @Test("says that nothing is kept when the session has vanished")
    func lost() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.set("k", 2)
        #expect(try fixture.provider.destroy(id))
        #expect(try session.save() == .lost)
        #expect(try session.save() == .lost)
        #expect(try session.commit().isLost)
        #expect(fixture.provider.count() == 0)
    }

    @Test("under a version is refused once another request has changed anything")
    func version() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("text", "first") }
        let form = fixture.open(id)
        let version = try form.version
        _ = try form.commit()

        let other = fixture.open(id)
        try other.set("other", 1)
        _ = try other.commit()

        let late = fixture.open(id)
        #expect(try !late.set("text", "late", ifVersion: version))
        #expect(try late.get("text", as: String.self) == "first")
        #expect(try late.get("other", as: Int.self) == 1)
        let now = try late.version
        #expect(try late.set("text", "second", ifVersion: now))
        #expect(try late.version != now)
        _ = try late.commit()
        #expect(try fixture.open(id).get("text", as: String.self) == "second")
    }

    @Test("under a version wins over what the same request has set before")
    func versionOverPending() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.set("k", "pending")
        #expect(try session.set("k", "checked", ifVersion: session.version))
        #expect(try session.get("k", as: String.self) == "checked")
        _ = try session.commit()
        #expect(try fixture.open(id).get("k", as: String.self) == "checked")
    }

    @Test("under a version begins no session")
    func versionOfNothing() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        #expect(try session.version == 0)
        #expect(try !session.set("k", 1, ifVersion: 0))
        #expect(try session.commit().setCookie == nil)
    }
}
