import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("A flash value")
struct SessionFlashTests {
    @Test("is there for the next request, once")
    func once() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin {
            try $0.set("k", 1)
            try $0.setFlash("notice", "saved")
        }
        let next = fixture.open(id)
        #expect(try next.popFlash("notice", as: String.self) == "saved")
        #expect(try next.popFlash("notice", as: String.self) == nil)
        #expect(try next.commit().cachePolicy == .written)
        #expect(try fixture.open(id).popFlash("notice", as: String.self) == nil)
        #expect(try fixture.open(id).get("k", as: Int.self) == 1)
    }

    @Test("goes to one of eight requests that read it at once", arguments: [true, false])
    func parallel(hasOthers: Bool) async throws {
        let fixture = try SessionFixture()
        for _ in 0..<50 {
            let id = try fixture.begin {
                if hasOthers { try $0.set("k", 1) }
                try $0.setFlash("notice", "saved")
            }
            let sessions = (0..<8).map { _ in fixture.open(id) }
            for session in sessions { _ = try session.keys }
            let taken = try await withThrowingTaskGroup(of: Int.self) { group in
                for session in sessions {
                    group.addTask {
                        let first = try session.popFlash("notice", as: String.self)
                        let second = try session.popFlash("notice", as: String.self)
                        _ = try session.commit()
                        return (first == nil ? 0 : 1) + (second == nil ? 0 : 1)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(taken == 1)
        }
    }

    @Test("is apart from the keys of the application")
    func apart() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.set("notice", "mine")
        try session.setFlash("notice", "flash")
        #expect(try session.keys == ["notice"])
        #expect(try session.get("notice", as: String.self) == "mine")
        #expect(try session.popFlash("notice", as: String.self) == "flash")
        #expect(try session.get("notice", as: String.self) == "mine")
    }

    @Test("that was set and taken by one request begins no session")
    func setAndTaken() throws {
        let fixture = try SessionFixture()
        let session = fixture.open()
        try session.setFlash("notice", "flash")
        #expect(try session.popFlash("notice", as: String.self) == "flash")
        #expect(try session.commit().setCookie == nil)
        #expect(fixture.provider.count() == 0)
    }

    @Test("that was all there was ends the session with it")
    func last() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.setFlash("notice", 1) }
        let session = fixture.open(id)
        #expect(try session.popFlash("notice", as: Int.self) == 1)
        #expect(try session.commit().isDeletion)
        #expect(fixture.provider.count() == 0)
    }

    @Test("of another form is nil and an event, and is kept")
    func undecodable() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin {
            try $0.set("k", 1)
            try $0.setFlash("notice", "text")
        }
        #expect(try fixture.open(id).popFlash("notice", as: Int.self) == nil)
        #expect(fixture.manager.metrics.undecodable == 1)
        #expect(try fixture.open(id).popFlash("notice", as: String.self) == "text")
    }

    @Test("is read and left by a request for the head of a page, but for its own ones")
    func head() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { try $0.setFlash("notice", "saved") }
        let head = fixture.manager.open(SessionIDCandidates(id), isSecure: false, isForHead: true)
        #expect(try head.popFlash("notice", as: String.self) == "saved")
        try head.setFlash("own", 1)
        #expect(try head.popFlash("own", as: Int.self) == 1)
        _ = try head.commit()
        let get = fixture.open(id)
        #expect(try get.popFlash("own", as: Int.self) == nil)
        #expect(try get.popFlash("notice", as: String.self) == "saved")
    }

    @Test("that a failed handler took is gone, one that it set is not kept")
    func failedHandler() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin {
            try $0.set("k", 1)
            try $0.setFlash("old", 1)
        }
        let session = fixture.open(id)
        #expect(try session.popFlash("old", as: Int.self) == 1)
        try session.setFlash("new", 2)
        _ = session.discard()
        let next = fixture.open(id)
        #expect(try next.popFlash("old", as: Int.self) == nil)
        #expect(try next.popFlash("new", as: Int.self) == nil)
    }
}
