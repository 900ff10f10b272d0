import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("A session's own lifetime")
struct SessionOwnLifetimeTests {
    @Test("is there from its beginning, in the store and in the cookie")
    func fromBeginning() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.set("k", 1)
        try session.setLifetime(idleTimeout: .seconds(30 * 86_400))
        let commit = try session.commit()
        #expect(commit.setCookie?.contains("Max-Age=2592000;") == true)
        fixture.time.advance(by: .seconds(29 * 86_400))
        #expect(try fixture.open(commit.id).get("k", as: Int.self) == 1)
        fixture.time.advance(by: .seconds(86_400))
        #expect(try fixture.open(commit.id).get("k", as: Int.self) == nil)
    }

    @Test("begins at a log-in and stays over later touches")
    func logIn() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.logIn(user: "ada")
        try session.setLifetime(idleTimeout: .seconds(7_200), absoluteTimeout: .seconds(14_400))
        let fresh = try #require(try session.commit().id)
        fixture.time.advance(by: .seconds(7_000))
        let visit = fixture.open(fresh)
        #expect(try visit.user == "ada")
        #expect(try visit.commit().setCookie?.contains("Max-Age=7200;") == true)
        fixture.time.advance(by: .seconds(7_000))
        let last = fixture.open(fresh)
        #expect(try last.user == "ada")
        #expect(try last.commit().setCookie?.contains("Max-Age=400;") == true)
        fixture.time.advance(by: .seconds(400))
        #expect(try fixture.open(fresh).user == nil)
    }

    @Test("that is over already ends the session and nothing is resurrected")
    func over() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(600))
        let session = fixture.open(id)
        try session.setLifetime(idleTimeout: .seconds(60), absoluteTimeout: .seconds(300))
        #expect(try session.commit().isLost)
        #expect(try fixture.open(id).isNew)
    }

    @Test("shorter than usual is noted more often, so that a visitor who is active stays")
    func short() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.set("k", 1)
        try session.setLifetime(idleTimeout: .seconds(60))
        let id = try #require(try session.commit().id)
        for _ in 0..<10 {
            fixture.time.advance(by: .seconds(20))
            let visit = fixture.open(id)
            #expect(try visit.get("k", as: Int.self) == 1)
            _ = try visit.commit()
        }
    }

    @Test(
        "is refused when it cannot be, with the field's name",
        arguments: [(0, 60, "idleTimeout"), (60, 30, "absoluteTimeout"), (60, 400_000_000, "absoluteTimeout")])
    func refused(idle: Int, absolute: Int, field: String) throws {
        let fixture = try SessionFixture()
        let error = #expect(throws: ConfigurationError.self) {
            try fixture.open().setLifetime(idleTimeout: .seconds(idle), absoluteTimeout: .seconds(absolute))
        }
        #expect(error?.field == field)
    }

    @Test("is not put off by a request that skips the touch, which still keeps what it sets")
    func skipTouch() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        for round in 0..<4 {
            fixture.time.advance(by: .seconds(900))
            let poll = fixture.open(id)
            poll.skipTouch()
            if round < 3 { #expect(try !poll.isNew) } else { #expect(try poll.isNew) }
            if round == 1 { try poll.set("polled", true) }
            let commit = try poll.commit()
            #expect(commit.setCookie == nil)
            if round == 2 { #expect(try fixture.open(id).get("polled", as: Bool.self) == true) }
        }
    }
}
