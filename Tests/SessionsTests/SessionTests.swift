import MemorySessions
import Sessions
import Testing

@Suite("A session")
struct SessionTests {
    @Test("that is not touched costs no cookie, no record, no cache header")
    func untouched() throws {
        let fixture = try SessionFixture()
        let commit = try fixture.open(SessionID.random()).commit()
        #expect(commit.setCookie == nil)
        #expect(commit.cachePolicy == .none)
        #expect(fixture.provider.count() == 0)
    }

    @Test("that is only read creates nothing")
    func readCreatesNothing() throws {
        let fixture = try SessionFixture()
        for id in [nil, SessionID.random()] {
            let session = fixture.open(id)
            #expect(try session.get("k", as: String.self) == nil)
            #expect(try session.isNew)
            let commit = try session.commit()
            #expect(commit.setCookie == nil)
            #expect(commit.cachePolicy == .read)
        }
        #expect(fixture.provider.count() == 0)
    }

    @Test("begins at the first write, under an id of ours")
    func begins() throws {
        let fixture = try SessionFixture()
        let foreign = SessionID.random()
        let session = fixture.open(foreign)
        try session.set("user", "ada")
        #expect(fixture.provider.count() == 0)
        let commit = try session.commit()
        #expect(commit.cachePolicy == .written)
        let id = try #require(commit.id)
        #expect(id != foreign)
        #expect(try fixture.provider.read(foreign) == nil)
        let next = fixture.open(id)
        #expect(try next.get("user", as: String.self) == "ada")
        #expect(try !next.isNew)
        #expect(try next.commit().setCookie == nil)
    }

    @Test("sets and deletes keys one by one on the record as it is")
    func mergesPerKey() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin {
            try $0.set("a", 1)
            try $0.set("b", 2)
        }
        let one = fixture.open(id)
        let two = fixture.open(id)
        try one.set("a", 10)
        try two.delete("b")
        try two.set("c", 3)
        _ = try one.commit()
        _ = try two.commit()
        let after = fixture.open(id)
        #expect(try after.keys.sorted() == ["a", "c"])
        #expect(try after.get("a", as: Int.self) == 10)
    }

    @Test("ends when its last key goes and no user is bound")
    func emptied() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.delete("k")
        let commit = try session.commit()
        #expect(commit.isDeletion)
        #expect(fixture.provider.count() == 0)

        let bound = try fixture.begin {
            try $0.set("k", 1)
            try $0.logIn(user: "ada")
        }
        let emptied = fixture.open(bound)
        try emptied.delete("k")
        #expect(try !emptied.commit().isDeletion)
        #expect(fixture.provider.count() == 1)
    }

    @Test("that was written and emptied in one request never begins")
    func writtenAndEmptied() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.set("k", 1)
        try session.delete("k")
        #expect(try session.commit().setCookie == nil)
        #expect(fixture.provider.count() == 0)
    }

    @Test("whose handler threw keeps what it was")
    func discards() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.set("k", "other")
        #expect(session.discard().setCookie == nil)
        #expect(try fixture.open(id).get("k", as: String.self) == "v")
        let fresh = fixture.open()
        try fresh.set("k", 1)
        #expect(fresh.discard().setCookie == nil)
        #expect(fixture.provider.count() == 1)
    }

    @Test("refuses to begin once the response has begun, touched before or not")
    func tooLate() throws {
        let fixture = try SessionFixture()
        let untouched = fixture.open()
        _ = try untouched.commit()
        let read = fixture.open()
        _ = try read.keys
        _ = try read.commit()
        for session in [untouched, read] {
            let error = #expect(throws: SessionError.self) { try session.set("k", 1) }
            #expect(error?.code == .responseStarted)
            #expect(throws: SessionError.self) { try session.csrfToken() }
            #expect(throws: SessionError.self) { try session.logIn(user: "ada") }
        }
        #expect(fixture.provider.count() == 0)
    }

    @Test("that exists takes writes after the commit at once")
    func writesAfterCommit() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        _ = try session.keys
        _ = try session.commit()
        try session.set("late", 1)
        #expect(
            try session.update("late", default: 0) {
                $0 += 1; return $0
            } == 2)
        #expect(try fixture.open(id).get("late", as: Int.self) == 2)
    }

    @Test("computes an update anew when it was overtaken, be it stored or yet to begin", arguments: [false, true])
    func overtakenUpdate(isStored: Bool) throws {
        let fixture = try SessionFixture()
        let session = fixture.open(isStored ? try fixture.begin() : nil)
        var runs = 0
        let result = try session.update("n", default: 0) { value in
            runs += 1
            if runs == 1 { _ = try session.update("n", default: 0) { $0 += 10 } }
            value += 1
            return value
        }
        #expect(result == 11)
        #expect(runs == 2)
        #expect(try session.get("n", as: Int.self) == 11)
    }

    @Test("reads a value whose type has changed as nil, says so and keeps it")
    func undecodable() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("k", "text") }
        let session = fixture.open(id)
        #expect(try session.get("k", as: [String: Int].self) == nil)
        #expect(fixture.events.count("undecodable") == 1)
        _ = try session.commit()
        #expect(try fixture.open(id).get("k", as: String.self) == "text")
    }

    @Test("keeps a value that an update cannot read: the update throws, unless it may replace it")
    func undecodableUpdate() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("k", "text") }
        let session = fixture.open(id)
        let error = #expect(throws: SessionError.self) { try session.update("k", default: 0) { $0 += 1 } }
        #expect(error?.code == .undecodable)
        #expect(fixture.events.count("undecodable") == 1)
        _ = try session.commit()
        #expect(try fixture.open(id).get("k", as: String.self) == "text")
        try fixture.open(id).update("k", default: 0, replacingUndecodable: true) { $0 += 1 }
        #expect(try fixture.open(id).get("k", as: Int.self) == 1)
        // Of a value that is yet to be committed, too.
        let fresh = fixture.open()
        try fresh.set("k", "text")
        #expect(throws: SessionError.self) { try fresh.update("k", default: 0) { $0 += 1 } }
        #expect(try fresh.get("k", as: String.self) == "text")
    }

    @Test("takes null for no value in an update")
    func nullUpdate() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("k", nil as Int?) }
        #expect(try fixture.open(id).update("k", default: 5) { (n: inout Int) in n } == 5)
        #expect(try fixture.open(id).update("k", default: 7) { (n: inout Int?) in n } == 5)
        #expect(fixture.events.count("undecodable") == 0)
    }

    @Test("rolled back shows what the store has, and what is changed afterwards counts")
    func rollBack() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("k", 1) }
        let session = fixture.open(id)
        try session.set("k", 2)
        try session.delete("other")
        try session.setFlash("f", 1)
        session.rollBack()
        #expect(try session.get("k", as: Int.self) == 1)
        try session.set("later", 3)
        session.rollBack()
        try session.set("last", 4)
        _ = try session.commit()
        let after = fixture.open(id)
        #expect(try after.keys.sorted() == ["k", "last"])
        #expect(try after.popFlash("f", as: Int.self) == nil)
        #expect(try after.get("k", as: Int.self) == 1)
    }

    @Test("rolled back and ended by another request meanwhile is lost")
    func rollBackLost() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("k", 1) }
        let session = fixture.open(id)
        try session.set("k", 2)
        #expect(try fixture.provider.destroy(id))
        session.rollBack()
        #expect(try session.get("k", as: Int.self) == nil)
        #expect(try session.commit().isLost)
    }

    @Test("gives what the response must carry again when it is closed once more")
    func closedTwice() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let session = fixture.open(id)
        try session.rotate()
        let first = session.discard()
        #expect(first.id != nil)
        #expect(try session.commit().setCookie == first.setCookie)
        #expect(session.discard().setCookie == first.setCookie)
    }

    @Test("never shows the id of its cookie in a log")
    func redactedCommit() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.set("k", 1)
        let commit = try session.commit()
        let id = try #require(commit.id).encoded
        var dumped = ""
        dump(commit, to: &dumped)
        for text in ["\(commit)", String(reflecting: commit), dumped] {
            #expect(!text.contains(id))
        }
    }

    @Test("reads null as nil, without an alarm")
    func null() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.set("k", nil as String?) }
        let session = fixture.open(id)
        #expect(try session.get("k", as: String.self) == nil)
        #expect(try session.value("k") == .null)
        #expect(try session.keys == ["k"])
        #expect(fixture.events.count("undecodable") == 0)
    }

    @Test("refuses what is over its limits and keeps what it has")
    func limits() throws {
        let fixture = try SessionFixture {
            $0.limits = SessionLimits(bytes: 512, keys: 2)
        }
        let id = try fixture.begin()
        let session = fixture.open(id)
        let tooLong = String(repeating: "x", count: 600)
        let error = #expect(throws: SessionError.self) { try session.set("long", tooLong) }
        #expect(error?.code == .overLimit)
        #expect(throws: SessionError.self) { try session.update("long", default: "") { $0 = tooLong } }
        try session.set("b", 1)
        #expect(throws: SessionError.self) { try session.set("c", 1) }
        _ = try session.commit()
        #expect(try fixture.open(id).keys == ["k", "b"])

        // Two requests that fit each by itself.
        let one = fixture.open(id)
        let two = fixture.open(id)
        try one.set("k", String(repeating: "x", count: 300))
        try two.set("b", String(repeating: "y", count: 300))
        _ = try one.commit()
        let late = #expect(throws: SessionError.self) { try two.commit() }
        #expect(late?.code == .overLimit)
        #expect(try fixture.open(id).get("b", as: Int.self) == 1)
    }

    @Test("is refused when the store is full of users' sessions, as a failure of the store")
    func full() throws {
        let fixture = try SessionFixture(maximumSessions: 1)
        _ = try fixture.begin { try $0.logIn(user: "ada") }
        let session = fixture.open()
        try session.set("k", 1)
        let error = #expect(throws: SessionStoreError.self) { try session.commit() }
        #expect(error?.reason == .full)
        #expect(session.discard().setCookie == nil)
    }

    @Test("takes the first of several cookies that the store knows")
    func severalCookies() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        let header = "sid=\(SessionID.random().encoded); sid=\(id.encoded)"
        var candidates = SessionIDCandidates()
        Array(header.utf8).withUnsafeBytes { candidates.collect(from: $0, named: fixture.manager.cookie) }
        #expect(candidates.count == 2)
        let session = fixture.manager.open(candidates, isSecure: false)
        #expect(try session.get("k", as: String.self) == "v")
    }
}
