import MemorySessions
import Sessions
import SessionsTesting
import Testing

/// Responses of one visitor's requests reach the browser in any order: a late one must not undo what an earlier one did.
@Suite("The cookie of a request that meets others")
struct SessionCookieRaceTests {
    @Test("is the successor's when another request rotated before the visit was noted", arguments: [false, true])
    func renewsSuccessor(writes: Bool) throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(600))
        let slow = fixture.open(id)
        _ = try slow.keys
        let fast = fixture.open(id)
        try fast.rotate()
        let successor = try #require(try fast.commit().id)
        if writes { try slow.set("k", "slow") }
        #expect(try slow.commit().id == successor)
    }

    @Test("is the successor's when an update met the rotation")
    func updateFollows() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let slow = fixture.open(id)
        _ = try slow.keys
        let fast = fixture.open(id)
        try fast.rotate()
        let successor = try #require(try fast.commit().id)
        _ = try slow.update("n", default: 0) { $0 += 1 }
        #expect(try slow.commit().id == successor)
    }

    @Test("is not renewed when a log-in came between an update and the commit", arguments: [false, true])
    func renewalMeetsLogIn(throwing: Bool) throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(600))
        let slow = fixture.open(id)
        _ = try slow.update("n", default: 0) { $0 += 1 }
        let login = fixture.open(id)
        try login.logIn(user: "ada")
        #expect(try login.commit().id != nil)
        let commit = throwing ? slow.discard() : try slow.commit()
        #expect(commit.setCookie == nil)
    }

    @Test("of a rotation stays back when the session has ended since", arguments: [false, true])
    func rotationMeetsLogOut(throwing: Bool) throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let slow = fixture.open(id)
        try slow.rotate()
        try fixture.open(id).destroy()
        let commit = throwing ? slow.discard() : try slow.commit()
        #expect(commit.setCookie == nil)
        #expect(commit.isLost)
    }

    @Test("stays back when the request logs out, too, and then sets something", arguments: [false, true])
    func lateLogOut(isNoticed: Bool) throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let slow = fixture.open(id)
        _ = try slow.keys
        try fixture.open(id).destroy()
        if isNoticed { _ = try slow.update("n", default: 0) { $0 += 1 } }
        try slow.destroy()
        #expect(try slow.keys == [])
        try slow.set("flash", "bye")
        #expect(try slow.get("flash", as: String.self) == "bye")
        let commit = try slow.commit()
        #expect(commit.setCookie == nil)
        #expect(commit.isLost)
        #expect(fixture.provider.count() == 0)
    }

    @Test("of a log-in goes out even where the old session has ended meanwhile")
    func logInAfterLoss() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let slow = fixture.open(id)
        _ = try slow.keys
        try fixture.open(id).destroy()
        try slow.logIn(user: "ada")
        let fresh = try #require(try slow.commit().id)
        #expect(try fixture.open(fresh).user == "ada")
    }

    @Test("names one successor, however late the other requests that rotate come")
    func latecomersDoNotRotate() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        var ids: Set<SessionID?> = []
        for _ in 0..<10 {
            let session = fixture.open(id)
            try session.rotate()
            ids.insert(try session.commit().id)
        }
        #expect(ids.count == 1)
        // The next visit comes with the successor, and is free to rotate.
        let next = fixture.open(try #require(ids.first ?? nil))
        try next.rotate()
        #expect(!ids.contains(try next.commit().id))
    }

    @Test("of a log-in by a latecomer is a new one, and the shared successor is dead")
    func latecomerLogsIn() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let first = fixture.open(id)
        try first.rotate()
        let shared = try #require(try first.commit().id)
        let late = fixture.open(id)
        try late.logIn(user: "ada")
        let fresh = try #require(try late.commit().id)
        #expect(fresh != shared)
        #expect(try fixture.provider.read(shared) == nil)
        #expect(try fixture.provider.read(id) == nil)
    }
}
