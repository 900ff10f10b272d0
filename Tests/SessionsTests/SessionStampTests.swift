import GalletaPlatform
import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("A session ends with its user's credential")
struct SessionStampTests {
    /// The stamps that hold, by user.
    private let stamps = Locked<[ByteString: [UInt8]]>(["ada": [1], "bob": [2]])
    private let asked = Locked(0)
    private let fixture: SessionFixture

    init() throws {
        fixture = try SessionFixture { [stamps, asked] in
            $0.stampCheck = { user, stamp in
                asked.withLock { $0 += 1 }
                return stamp != nil && stamps.withLock { $0[user] } == stamp
            }
        }
    }

    private func logIn(_ user: String, stamp: [UInt8]?) throws -> SessionID {
        try fixture.begin {
            try $0.set("k", "v")
            try $0.logIn(user: .init(user), stamp: stamp)
        }
    }

    @Test("a session goes on while the stamp holds, and ends with its values when it does not")
    func ends() throws {
        let id = try logIn("ada", stamp: [1])
        #expect(try fixture.open(id).user != nil)
        #expect(try fixture.open(id).get("k") == "v")

        stamps.withLock { $0["ada"] = [9] }
        let session = fixture.open(id)
        #expect(try session.user == nil)
        #expect(try session.get("k", as: String.self) == nil)
        #expect(try session.isNew)
        // Nothing goes to the browser: a log-in by another request may have given it a new cookie.
        #expect(try session.commit().setCookie == nil)
        #expect(fixture.manager.metrics.revoked == 1)
        #expect(fixture.provider.statistics().sessions == 0)

        // It stays dead when the old credential comes back.
        stamps.withLock { $0["ada"] = [1] }
        #expect(try fixture.open(id).user == nil)
    }

    @Test("a user who is gone, and a session without a stamp, are logged out; others are not")
    func gone() throws {
        let ada = try logIn("ada", stamp: [1])
        let bare = try logIn("ada", stamp: nil)
        let bob = try logIn("bob", stamp: [2])
        #expect(try fixture.open(bare).user == nil)
        #expect(try fixture.open(ada).user != nil)
        stamps.withLock { $0["ada"] = nil }
        #expect(try fixture.open(ada).user == nil)
        #expect(try fixture.open(bob).user != nil)
    }

    @Test("a visitor without a user is never asked about, and keeps the session")
    func anonymous() throws {
        let id = try fixture.begin()
        stamps.withLock { $0 = [:] }
        #expect(try fixture.open(id).get("k") == "v")
        #expect(asked.withLock { $0 } == 0)
    }

    @Test("a log-in without a stamp takes away that of the log-in before")
    func replaced() throws {
        let id = try logIn("ada", stamp: [1])
        let session = fixture.open(id)
        try session.logIn(user: "ada")
        let next = try #require(try session.commit().id)
        #expect(try fixture.open(next).user == nil)
    }

    @Test("an id that was just rotated ends the session that it leads to")
    func rotated() throws {
        let old = try logIn("ada", stamp: [1])
        let session = fixture.open(old)
        try session.rotate()
        let new = try #require(try session.commit().id)
        stamps.withLock { $0 = [:] }
        #expect(try fixture.open(old).user == nil)
        #expect(fixture.provider.statistics().sessions == 0)
        #expect(try fixture.open(new).user == nil)
    }

    @Test("a list of the user's sessions shows and counts none that may not go on, nor has one in the place of others")
    func lists() throws {
        let valid = Locked<Set<[UInt8]>>([[1], [2]])
        let fixture = try SessionFixture {
            $0.maximumSessionsPerUser = nil
            $0.stampCheck = { _, stamp in valid.withLock { $0.contains(stamp ?? []) } }
        }
        var ids: [SessionID] = []
        // Every third will go on, the first and oldest among them.
        for number in 0..<120 {
            fixture.time.advance(by: .milliseconds(1))
            ids.append(
                try fixture.begin {
                    try $0.logIn(user: "ada", client: "\(number)", stamp: number % 3 == 0 ? [2] : [1])
                })
        }
        valid.withLock { $0 = [[2]] }
        let list = try fixture.open(ids[0]).userSessions(limit: 5)
        #expect(list.sessions.map(\.client) == ["117", "114", "111", "108", "0"])
        #expect(list.total == 40 && list.more == 35)
        #expect(fixture.provider.count() == 40 && fixture.manager.metrics.revoked == 80)
        // Also where all that are shown may go on.
        valid.withLock { $0 = [[1], [2]] }
        for _ in 0..<3 { _ = try fixture.begin { try $0.logIn(user: "bob", stamp: [1]) } }
        fixture.time.advance(by: .seconds(1))
        let bob = try fixture.begin { try $0.logIn(user: "bob", stamp: [2]) }
        valid.withLock { $0 = [[2]] }
        #expect(try fixture.open(bob).userSessions(limit: 1).total == 1)
        #expect(try fixture.open(ids[0]).userSessions(limit: 0).total == 40)
        valid.withLock { $0 = [] }
        #expect(try fixture.manager.sessions(of: "ada", limit: 0).total == 0)
    }

    @Test("a log-in ends the user's sessions that may not go on: they take no live one's place below the cap")
    func cap() throws {
        let valid = Locked<Set<[UInt8]>>([[1], [2]])
        let fixture = try SessionFixture {
            $0.maximumSessionsPerUser = 3
            $0.stampCheck = { _, stamp in valid.withLock { $0.contains(stamp ?? []) } }
        }
        var ids: [SessionID] = []
        for stamp: UInt8 in [2, 1, 1] {
            fixture.time.advance(by: .milliseconds(1))
            ids.append(try fixture.begin { try $0.logIn(user: "ada", stamp: [stamp]) })
        }
        valid.withLock { $0 = [[2]] }
        let id = try fixture.begin { try $0.logIn(user: "ada", stamp: [2]) }
        #expect(fixture.provider.count() == 2 && fixture.manager.metrics.revoked == 2)
        #expect(try fixture.open(ids[0]).user == "ada" && fixture.open(id).user == "ada")
    }

    @Test("a list is filled up by sessions that may go on beyond a thousand that may not")
    func manyRevoked() throws {
        let valid = Locked<Set<[UInt8]>>([[1], [2]])
        let fixture = try SessionFixture(maximumSessions: 10_000) {
            $0.maximumSessionsPerUser = nil
            $0.stampCheck = { _, stamp in valid.withLock { $0.contains(stamp ?? []) } }
        }
        let id = try fixture.begin { try $0.logIn(user: "ada", client: "live", stamp: [2]) }
        for _ in 0..<2_500 {
            fixture.time.advance(by: .milliseconds(1))
            var values = SessionPatch()
            try values.set("ada", for: .user)
            _ = try fixture.provider.create(
                .random(),
                SessionDraft(
                    values: SessionValues().applying(values, limits: SessionLimits()), idleTimeout: .seconds(60),
                    absoluteTimeout: .seconds(60)))
        }
        valid.withLock { $0 = [[2]] }
        let list = try fixture.open(id).userSessions(limit: 50)
        #expect(list.sessions.map(\.client) == ["live"] && list.total == 1)
    }

    @Test("without a check every session is as good as its lifetime")
    func unchecked() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.logIn(user: "ada", stamp: [1]) }
        #expect(try fixture.open(id).user != nil)
    }
}
