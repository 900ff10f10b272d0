import MemorySessions
import Sessions
import SessionsTesting
import Testing

@Suite("A session's lifetime")
struct SessionLifetimeTests {
    @Test("ends at the idle timeout, and reading does not revive it")
    func idleTimeout() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(3600))
        let session = fixture.open(id)
        #expect(try session.isNew)
        #expect(try session.commit().setCookie == nil)
    }

    @Test("is extended by visits, noted at most once an interval, with the cookie renewed in the same breath")
    func touches() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(359))
        let early = fixture.open(id)
        _ = try early.keys
        #expect(try early.commit().setCookie == nil)
        fixture.time.advance(by: .seconds(1))
        let due = fixture.open(id)
        _ = try due.keys
        let cookie = try #require(try due.commit().setCookie)
        #expect(cookie.hasPrefix("sid=\(id.encoded); Max-Age=3600;"))
        fixture.time.advance(by: .seconds(3599))
        #expect(try !fixture.open(id).isNew)
    }

    @Test("keeps a visitor who writes all the time in store and cookie")
    func writersKeepTheirCookie() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin { _ = try $0.update("n", default: 0) { $0 += 1 } }
        var sinceCookie = 0
        for _ in 0..<300 {
            fixture.time.advance(by: .seconds(60))
            sinceCookie += 60
            let session = fixture.open(id)
            #expect(try !session.isNew)
            _ = try session.update("n", default: 0) { $0 += 1 }
            if try session.commit().setCookie != nil { sinceCookie = 0 }
            #expect(sinceCookie <= 360)
        }
    }

    @Test("never passes the absolute timeout, and the cookie says so")
    func absoluteTimeout() throws {
        let fixture = try SessionFixture { $0.absoluteTimeout = .seconds(5000) }
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(3000))
        let session = fixture.open(id)
        _ = try session.keys
        #expect(try #require(try session.commit().setCookie).contains("Max-Age=2000;"))
        fixture.time.advance(by: .seconds(1999))
        #expect(try fixture.open(id).remaining == .seconds(1))
        fixture.time.advance(by: .seconds(1))
        #expect(try fixture.open(id).isNew)
    }

    @Test("with a short idle timeout is touched often enough", arguments: [4, 60, 120, 300])
    func shortTimeouts(seconds: Int) throws {
        let fixture = try SessionFixture { $0.idleTimeout = .seconds(seconds) }
        let id = try fixture.begin()
        for _ in 0..<20 {
            fixture.time.advance(by: .milliseconds(seconds * 700))
            let session = fixture.open(id)
            #expect(try !session.isNew)
            _ = try session.commit()
        }
    }

    @Test("is measured in durations that a handler can see")
    func durations() throws {
        let fixture = try SessionFixture()
        let id = try fixture.begin()
        fixture.time.advance(by: .seconds(100))
        let session = fixture.open(id)
        #expect(try session.age == .seconds(100))
        #expect(try session.idle == .seconds(100))
        #expect(try session.remaining == .seconds(3500))
    }

    @Test("without persistence gives a cookie that ends with the browser")
    func sessionCookie() throws {
        let fixture = try SessionFixture { $0.isPersistent = false }
        let session = fixture.open()
        try session.set("k", 1)
        let commit = try session.commit()
        #expect(try !#require(commit.setCookie).contains("Max-Age"))
        fixture.time.advance(by: .seconds(1000))
        let later = fixture.open(commit.id)
        _ = try later.keys
        #expect(try later.commit().setCookie == nil)
        fixture.time.advance(by: .seconds(3000))
        #expect(try !fixture.open(commit.id).isNew)
    }
}
