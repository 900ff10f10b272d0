import GalletaPlatform
import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("A session's identity")
struct SessionIdentityTests {
    @Test("is destroyed at once, with its cookie")
    func destroys() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.destroy()
        #expect(try fixture.provider.read(id) == nil)
        // A handler that throws afterwards does not undo it.
        let commit = session.discard()
        #expect(commit.isDeletion)
        #expect(commit.cachePolicy == .written)
    }

    @Test("is not touched by a log-out without a session: no deleting cookie", arguments: [false, true])
    func destroyNothing(hasForeignCookie: Bool) throws {
        let fixture = try SessionFixture()
        let session = fixture.open(hasForeignCookie ? .random() : nil)
        try session.destroy()
        #expect(try session.commit().setCookie == nil)
    }

    @Test("is gone from both of two live cookies after a log-out")
    func destroysAllCandidates() throws {
        let fixture = try SessionFixture()
        let ids = [try fixture.begin(), try fixture.begin()]
        var candidates = SessionIDCandidates()
        for id in ids {
            Array("sid=\(id.encoded)".utf8).withUnsafeBytes {
                candidates.collect(from: $0, named: fixture.manager.cookie)
            }
        }
        try fixture.manager.open(candidates, isSecure: false).destroy()
        #expect(fixture.provider.count() == 0)
    }

    @Test("begins anew when something is set after a log-out")
    func beginsAfterDestroy() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.destroy()
        try session.set("flash", "bye")
        let fresh = try #require(try session.commit().id)
        #expect(fresh != id)
        #expect(try fixture.open(fresh).keys == ["flash"])
    }

    @Test("stays gone when a slower request saves after the log-out, and gets no cookie")
    func logOutIsNotUndone() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let slow = fixture.open(id)
        try slow.set("k", "late")
        try fixture.open(id).destroy()
        let commit = try slow.commit()
        #expect(commit.isLost)
        #expect(commit.setCookie == nil)
        #expect(fixture.provider.count() == 0)
        #expect(fixture.events.count("lost") == 1)
    }

    @Test("stays gone for an update, a touch, a rotation and a second log-out", arguments: 0..<4)
    func nothingIsResurrected(kind: Int) throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let slow = fixture.open(id)
        fixture.time.advance(by: .seconds(600))
        _ = try slow.keys
        try fixture.open(id).destroy()
        switch kind {
        case 0:
            #expect(
                try slow.update("n", default: 0) {
                    $0 += 1; return $0
                } == 1)
        case 1: break
        case 2: try slow.rotate()
        default: try slow.destroy()
        }
        #expect(try slow.commit().setCookie == nil)
        #expect(fixture.provider.count() == 0)
    }

    @Test("rotates at once and keeps its values")
    func rotates() throws {
        let fixture = try SessionFixture { $0.rotationGrace = .zero }
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.rotate()
        #expect(try fixture.provider.read(id) == nil)
        let fresh = try #require(session.discard().id)
        #expect(fresh != id)
        #expect(try fixture.open(fresh).get("k", as: String.self) == "v")
    }

    @Test("leads latecomers of a rotation to the one successor, until the grace ends")
    func grace() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let first = fixture.open(id)
        try first.rotate()
        let successor = try #require(try first.commit().id)
        for _ in 0..<3 {
            let late = fixture.open(id)
            #expect(try late.get("k", as: String.self) == "v")
            #expect(try late.commit().id == successor)
        }
        #expect(fixture.provider.count() == 1)
        fixture.time.advance(by: .seconds(10))
        #expect(try fixture.open(id).isNew)
        #expect(try !fixture.open(successor).isNew)
    }

    @Test("changes at log-in: new id, old one dead, new CSRF secret, values kept")
    func logsIn() throws {
        let fixture = try SessionFixture()
        let before = fixture.open()
        try before.set("cart", [1, 2])
        let token = try before.csrfToken()
        let id = try #require(try before.commit().id)

        let session = fixture.open(id)
        #expect(try session.verifyCSRF(token))
        try session.logIn(user: "ada")
        #expect(try fixture.provider.read(id) == nil)
        let fresh = try #require(try session.commit().id)
        #expect(fresh != id)
        let after = fixture.open(fresh)
        #expect(try after.user == "ada")
        #expect(try after.get("cart", as: [Int].self) == [1, 2])
        #expect(try !after.verifyCSRF(token))
        #expect(try after.keys == ["cart"])
    }

    @Test("gets an id of its own at log-in even when a routine rotation was faster")
    func logInAfterRotation() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let login = fixture.open(id)
        _ = try login.keys
        let other = fixture.open(id)
        try other.rotate()
        let shared = try #require(try other.commit().id)
        try login.logIn(user: "ada")
        let fresh = try #require(try login.commit().id)
        #expect(fresh != shared)
        #expect(try fixture.provider.read(shared) == nil)
        #expect(try fixture.provider.read(id) == nil)
        #expect(try fixture.open(fresh).user == "ada")
    }

    @Test("is not logged in by a handler that throws after log-in, though the id has changed")
    func logInIsDiscarded() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.logIn(user: "ada")
        let fresh = try #require(session.discard().id)
        #expect(try fixture.open(fresh).user == nil)
        #expect(try fixture.open(fresh).get("k", as: String.self) == "v")
    }

    @Test("passes nothing from one user to the next")
    func changesUser() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin {
            try $0.set("secret", 1)
            try $0.logIn(user: "ada")
        }
        let session = fixture.open(id)
        try session.logIn(user: "bob")
        let fresh = try #require(try session.commit().id)
        #expect(try fixture.open(fresh).user == "bob")
        #expect(try fixture.open(fresh).keys == [])
        #expect(fixture.provider.count() == 1)
    }

    @Test("gives masked tokens of which each is another text and all are good, and no others")
    func csrf() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        #expect(try !session.verifyCSRF("x"))
        let tokens = try (0..<3).map { _ in try session.csrfToken() }
        #expect(Set(tokens).count == 3)
        let next = fixture.open(try session.commit().id)
        for token in tokens {
            #expect(token.utf8.count == 86)
            #expect(try next.verifyCSRF(token))
            let forged = (token.hasPrefix("A") ? "B" : "A") + token.dropFirst()
            #expect(try !next.verifyCSRF(forged))
            #expect(try !next.verifyCSRF(String(token.dropLast())))
        }
        #expect(try !next.verifyCSRF(nil))
        #expect(try !next.verifyCSRF(""))
        let other = fixture.open()
        _ = try other.csrfToken()
        #expect(try !other.verifyCSRF(tokens[0]))
    }

    @Test("gives two first pages in parallel one CSRF secret")
    func csrfRace() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let one = fixture.open(id)
        let two = fixture.open(id)
        _ = try one.keys
        _ = try two.keys
        let first = try one.csrfToken()
        let second = try two.csrfToken()
        let next = fixture.open(id)
        #expect(try next.verifyCSRF(first))
        #expect(try next.verifyCSRF(second))
    }
}
