import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("A user's sessions")
struct SessionUsersTests {
    /// The id of a session of `user`.
    private func logIn(_ fixture: SessionFixture, _ user: String, client: String? = nil) throws -> SessionID {
        let session = fixture.open()
        try session.logIn(user: user, client: client)
        return try #require(try session.commit().id)
    }

    @Test("are listed with what the log-in said of the browser, the last seen first, this one marked")
    func list() throws {
        let fixture = try SessionFixture()
        let first = try logIn(fixture, "ada", client: "Firefox")
        fixture.time.advance(by: .seconds(10))
        let second = try logIn(fixture, "ada", client: "curl")
        _ = try logIn(fixture, "bob", client: "Safari")
        fixture.time.advance(by: .seconds(5))
        let list = try fixture.open(first).userSessions(limit: 50).sessions
        #expect(list.map(\.client) == ["curl", "Firefox"])
        #expect(list.map(\.isCurrent) == [false, true])
        #expect(list.map(\.age) == [.seconds(5), .seconds(15)])
        #expect(list.map(\.idle) == [.seconds(5), .seconds(15)])
        #expect(try fixture.open(second).userSessions(limit: 50).sessions.map(\.isCurrent) == [true, false])
        #expect(try fixture.manager.sessions(of: "ada", limit: 0).total == 2)
        #expect(try fixture.open().userSessions(limit: 50).sessions.isEmpty)
    }

    @Test("are listed as far as a page shows them, this one among them, with the number of the others")
    func boundedList() throws {
        let fixture = try SessionFixture()
        let own = try logIn(fixture, "ada", client: "own")
        for number in 1...9 {
            fixture.time.advance(by: .seconds(1))
            _ = try logIn(fixture, "ada", client: "\(number)")
        }
        let list = try fixture.open(own).userSessions(limit: 4)
        #expect(list.sessions.map(\.client) == ["9", "8", "7", "own"])
        #expect(list.total == 10 && list.more == 6)
        #expect(try fixture.open(own).userSessions(limit: 0).more == 10)
        #expect(try fixture.open(own).userSessions(limit: -1).more == 10)
        // The one that asks ends by its name, however far down the list it stands.
        let reference = try #require(list.sessions.last?.reference)
        let session = fixture.open(own)
        #expect(try session.endUserSession(reference))
        #expect(try session.commit().isDeletion)
    }

    @Test("are a hundred at most by default")
    func defaultCap() throws {
        let fixture = try SessionFixture()
        let first = try logIn(fixture, "ada")
        for _ in 0..<100 {
            fixture.time.advance(by: .milliseconds(1))
            _ = try logIn(fixture, "ada")
        }
        #expect(try fixture.open(first).user == nil)
        #expect(try fixture.manager.sessions(of: "ada", limit: 0).total == 100)
        let free = try SessionFixture { $0.maximumSessionsPerUser = nil }
        for _ in 0..<101 { _ = try logIn(free, "ada") }
        #expect(try free.manager.sessions(of: "ada", limit: 0).total == 101)
    }

    @Test("are in the order of their log-ins, also of one that had begun before")
    func logInIsAVisit() throws {
        let fixture = try SessionFixture()
        let session = fixture.open(try fixture.begin())
        fixture.time.advance(by: .seconds(1))
        _ = try logIn(fixture, "ada", client: "first")
        fixture.time.advance(by: .seconds(1))
        try session.logIn(user: "ada", client: "second")
        let id = try #require(try session.commit().id)
        #expect(try fixture.open(id).userSessions(limit: 1).sessions.map(\.client) == ["second"])
        #expect(try fixture.manager.sessions(of: "ada", limit: 9).sessions.map(\.client) == ["second", "first"])
    }

    @Test("keep the first 256 bytes of the browser's name, whole characters of it")
    func longClient() throws {
        let fixture = try SessionFixture()
        let id = try logIn(fixture, "ada", client: "x" + String(repeating: "é", count: 200))
        let client = try #require(try fixture.open(id).userSessions(limit: 50).sessions.first?.client)
        #expect(client == "x" + String(repeating: "é", count: 127))
    }

    @Test("end one by one, this one too, and all but this one")
    func end() throws {
        let fixture = try SessionFixture()
        let ids = try (0..<4).map { _ in try logIn(fixture, "ada") }
        let other = try logIn(fixture, "bob")
        let session = fixture.open(ids[0])
        let references = try session.userSessions(limit: 50).sessions.filter { !$0.isCurrent }.map(\.reference)
        #expect(try session.endUserSession(references[0]))
        #expect(try !session.endUserSession(references[0]))
        #expect(try !fixture.open(other).endUserSession(references[1]))
        #expect(try session.endOtherUserSessions() == 2)
        #expect(try ids.map { try fixture.open($0).user } == ["ada", nil, nil, nil])
        #expect(try fixture.open(other).user == "bob")
        let own = try #require(try session.userSessions(limit: 50).sessions.first)
        #expect(own.isCurrent)
        #expect(try session.endUserSession(own.reference))
        #expect(try session.commit().isDeletion)
        #expect(try fixture.open(ids[0]).user == nil)
    }

    @Test("keep their names in the list over a rotation")
    func rotation() throws {
        let fixture = try SessionFixture()
        let id = try logIn(fixture, "ada")
        let before = try fixture.open(id).userSessions(limit: 50).sessions.map(\.reference)
        let session = fixture.open(id)
        try session.rotate()
        let fresh = try #require(try session.commit().id)
        #expect(try fixture.open(fresh).userSessions(limit: 50).sessions.map(\.reference) == before)
        #expect(try fixture.open(id).userSessions(limit: 50).sessions.map(\.isCurrent) == [true])
    }

    @Test("are not more than the cap: at a log-in the least recently seen end, never the new one")
    func cap() throws {
        let fixture = try SessionFixture { $0.maximumSessionsPerUser = 2 }
        let first = try logIn(fixture, "ada")
        fixture.time.advance(by: .seconds(1))
        let second = try logIn(fixture, "ada")
        fixture.time.advance(by: .seconds(400))
        _ = try {
            let visit = fixture.open(first)
            _ = try visit.keys
            return try visit.commit()
        }()
        let third = try logIn(fixture, "ada")
        #expect(try fixture.open(first).user == "ada")
        #expect(try fixture.open(second).user == nil)
        #expect(try fixture.open(third).user == "ada")
        #expect(try logIn(fixture, "bob") != third)
        #expect(try fixture.manager.sessions(of: "ada", limit: 0).total == 2)
    }

    @Test("that log in at the same time end up with as many as the cap allows")
    func parallelCap() async throws {
        let fixture = try SessionFixture { $0.maximumSessionsPerUser = 3 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<32 {
                group.addTask { _ = try logIn(fixture, "ada") }
            }
            try await group.waitForAll()
        }
        #expect(try fixture.manager.sessions(of: "ada", limit: 0).total == 3)
    }

    @Test("all end but the spared one; beside a session that is not the user's, or is no more, all do")
    func spared() throws {
        let fixture = try SessionFixture()
        let admin = try logIn(fixture, "admin")
        let ids = try (0..<3).map { _ in try logIn(fixture, "ada") }
        #expect(try fixture.manager.endSessions(of: "ada", except: ids[1]) == 2)
        #expect(try fixture.manager.endSessions(of: "ada", except: ids[1]) == 0)
        #expect(try ids.map { try fixture.open($0).user } == [nil, "ada", nil])
        #expect(try fixture.manager.endSessions(of: "ada", except: admin) == 1)
        _ = try logIn(fixture, "ada")
        #expect(try fixture.manager.endSessions(of: "ada", except: ids[1]) == 1)
        #expect(try fixture.open(admin).user == "admin")
    }

    @Test("end for good: a request under way does not bring one back")
    func revokedDuringRequest() throws {
        let fixture = try SessionFixture()
        let slow = fixture.open(try logIn(fixture, "ada"))
        try slow.set("k", 1)
        #expect(try fixture.manager.endSessions(of: "ada") == 1)
        let commit = try slow.commit()
        #expect(commit.isLost && commit.setCookie == nil)
        #expect(fixture.provider.count() == 0)
        #expect(fixture.manager.metrics.destroyed == 1)
    }
}

@Suite("An id that was replaced")
struct ReusedIDTests {
    @Test("is an alarm when it is used after its grace, not within it")
    func alarm() throws {
        let fixture = try SessionFixture()
        let old = try fixture.begin()
        let session = fixture.open(old)
        try session.rotate()
        let new = try #require(try session.commit().id)
        fixture.time.advance(by: .seconds(9))
        #expect(try !fixture.open(old).isNew)
        #expect(fixture.manager.metrics.reusedIDs == 0)
        fixture.time.advance(by: .seconds(2))
        let late = fixture.open(old)
        #expect(try late.isNew)
        #expect(try late.commit().setCookie == nil)
        #expect(fixture.manager.metrics.reusedIDs == 1)
        #expect(try !fixture.open(new).isNew)
    }

    @Test("at a log-in is no alarm for requests that were on their way, but later")
    func logIn() throws {
        let fixture = try SessionFixture()
        let old = try fixture.begin()
        let session = fixture.open(old)
        try session.logIn(user: "ada")
        _ = try session.commit()
        fixture.time.advance(by: .seconds(2))
        #expect(try fixture.open(old).isNew)
        #expect(fixture.manager.metrics.reusedIDs == 0)
        fixture.time.advance(by: .seconds(20))
        #expect(try fixture.open(old).isNew)
        #expect(fixture.manager.metrics.reusedIDs == 1)
    }

    @Test("ends the session that took its place where the configuration says so")
    func ends() throws {
        let fixture = try SessionFixture { $0.endsSessionOnIDReuse = true }
        let old = try fixture.begin()
        let session = fixture.open(old)
        try session.rotate()
        let new = try #require(try session.commit().id)
        fixture.time.advance(by: .seconds(60))
        #expect(try fixture.open(old).isNew)
        #expect(try fixture.open(new).isNew)
    }
}
