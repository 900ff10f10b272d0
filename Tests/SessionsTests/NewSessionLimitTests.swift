import GalletaPlatform
import MemorySessions
import SessionsTesting
import Testing

@testable import Sessions

@Suite("The limit of new sessions")
struct NewSessionLimitTests {
    private let time = ManualSessionClock()

    private func fixture(_ limit: NewSessionLimit) throws -> SessionFixture {
        try SessionFixture {
            $0.newSessionLimit = limit
            $0.clock = time.clock
        }
    }

    /// True when a request from `client` may begin a session.
    private func begins(_ fixture: SessionFixture, _ client: String?, user: String? = nil) throws -> Bool {
        let session = fixture.manager.open(SessionIDCandidates(), isSecure: false, client: client)
        if let user { try session.logIn(user: user) }
        try session.set("k", 1)
        do {
            return try session.commit().setCookie != nil
        } catch let error as SessionError {
            #expect(error.code == .tooManySessions)
            #expect(try #require(error.retryAfter) >= .seconds(1))
            return false
        }
    }

    @Test("refuses the network that has had its share, until it refills")
    func refills() throws {
        let fixture = try fixture(NewSessionLimit(3, per: .seconds(30)))
        for _ in 0..<3 { #expect(try begins(fixture, "192.0.2.1")) }
        #expect(try !begins(fixture, "192.0.2.200"))
        #expect(try begins(fixture, "192.0.3.1"))
        time.advance(by: .seconds(10))
        #expect(try begins(fixture, "192.0.2.1"))
        #expect(try !begins(fixture, "192.0.2.1"))
        #expect(fixture.manager.metrics.refusedByNetwork == 2)
    }

    @Test("never refuses a log-in, nor a session that exists, nor a client without an address")
    func spares() throws {
        let fixture = try fixture(NewSessionLimit(1, per: .seconds(60)))
        #expect(try begins(fixture, "192.0.2.1"))
        #expect(try !begins(fixture, "192.0.2.1"))
        #expect(try begins(fixture, "192.0.2.1", user: "ada"))
        #expect(try begins(fixture, nil))
        let id = try fixture.begin()
        let session = fixture.manager.open(SessionIDCandidates(id), isSecure: false, client: "192.0.2.1")
        try session.set("k", 2)
        #expect(try !session.commit().isLost)
    }

    @Test("that refuses keeps nothing and leaves the store as it was")
    func keepsNothing() throws {
        let fixture = try fixture(NewSessionLimit(1, per: .seconds(60)))
        #expect(try begins(fixture, "2001:db8::1"))
        for _ in 0..<100 { _ = try begins(fixture, "2001:db8::1") }
        #expect(fixture.provider.count() == 1)
    }

    @Test(
        "takes for one network what one customer has",
        arguments: [
            ("192.0.2.1", "192.0.2.254", true), ("192.0.2.1", "192.0.3.1", false),
            ("2001:db8:0:100::1", "2001:db8:0:1ff:ffff::9", true), ("2001:db8:0:100::1", "2001:db8:0:200::1", false),
            ("::ffff:192.0.2.1", "192.0.2.9", true), ("unix:", "", true), ("unix:", "192.0.2.1", false),
        ])
    func networks(one: String, other: String, areOne: Bool) {
        #expect((ClientNetwork(one) == ClientNetwork(other)) == areOne)
    }

    @Test("remembers the worst networks while a million others come by")
    func flood() {
        let limiter = NewSessionLimiter(NewSessionLimit(10, per: .seconds(60)), clock: time.clock)
        for _ in 0..<10 { #expect(limiter.admit("198.51.100.1") == nil) }
        for number in 0..<50_000 {
            _ = limiter.admit("10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)")
            _ = limiter.admit("2001:db8:\(String(number, radix: 16))::1")
        }
        #expect(limiter.admit("198.51.100.1") != nil)
    }

    @Test("can change while requests go on: to another one, to none, from none")
    func changes() throws {
        let fixture = try fixture(NewSessionLimit(1, per: .seconds(60)))
        #expect(try begins(fixture, "192.0.2.1") && !begins(fixture, "192.0.2.1"))
        try fixture.manager.changeNewSessionLimit(to: NewSessionLimit(2, per: .seconds(60)))
        for isFirst in [true, true, false] { #expect(try begins(fixture, "192.0.2.1") == isFirst) }
        #expect(throws: ConfigurationError.self) {
            try fixture.manager.changeNewSessionLimit(to: NewSessionLimit(0, per: .seconds(60)))
        }
        #expect(fixture.manager.limitsNewSessions)
        try fixture.manager.changeNewSessionLimit(to: nil)
        #expect(!fixture.manager.limitsNewSessions)
        for _ in 0..<5 { #expect(try begins(fixture, "192.0.2.1")) }
    }

    @Test("is checked when the manager is made", arguments: [(0, 60), (1_000_001, 60), (1, 0), (1, 86_401)])
    func configuration(count: Int, seconds: Int) {
        let error = #expect(throws: ConfigurationError.self) {
            try fixture(NewSessionLimit(count, per: .seconds(seconds)))
        }
        #expect(error?.field.hasPrefix("newSessionLimit.") == true)
    }
}
