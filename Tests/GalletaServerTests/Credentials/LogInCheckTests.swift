import GalletaPlatform
import Logging
import Passwords
import Sessions
import TestSupport
import Testing

@testable import GalletaServer

@Suite("Trying to log in")
struct LogInCheckTests {
    /// Two users whose password is "pw"; counts what it is asked.
    private struct Users: CredentialVerifier {
        let asked = Locked(0)
        /// Whose passwords are looked at, in this order; each look waits for it to open.
        let names = Locked<[ByteString]>([])
        let gate = Monitor(true)
        var entry = "entry"
        let maxPasswordBytes = 72

        func verify(user: ByteString, password: ByteString) -> Credential? {
            asked.withLock { $0 += 1 }
            names.withLock { $0.append(user) }
            gate.wait(until: { $0 }, timeout: .seconds(20)) { _ in }
            return password == "pw" ? credential(of: user) : nil
        }

        func credential(of user: ByteString) -> Credential? {
            ["ada", "bob"].contains(user) ? Credential(user: user, entry: entry.utf8) : nil
        }
    }

    private let users = Users()
    private let check: LogInCheck

    private static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// One password is looked at at a time.
    private static func passwords(places: Int) throws -> Passwords {
        var configuration = Passwords.Configuration()
        configuration.workers = 1
        configuration.maximumBlockedThreads = places
        configuration.logger = silence
        return try Passwords(configuration: configuration)
    }

    init() throws {
        check = LogInCheck(
            credentials: users, passwords: try Self.passwords(places: 1), limiter: PasswordThrottle(logger: nil),
            logger: Self.silence)
    }

    private func attempt(
        _ user: ByteString, _ password: ByteString, from address: String = "192.0.2.1", _ tokens: [[UInt8]] = []
    ) -> String {
        Self.word(check.check(user: user, password: password, address: address, tokens: tokens))
    }

    private static func word(_ outcome: LogInCheck.Outcome) -> String {
        switch outcome {
        case .right: "right"
        case .wrong: "wrong"
        case .unfit: "unfit"
        case .throttled: "throttled"
        case .busy: "busy"
        }
    }

    /// The tokens that a browser has after a log-in.
    private func tokens(_ user: ByteString, having tokens: [[UInt8]] = []) throws -> [[UInt8]] {
        let browsers = try KnownBrowsers(path: "/app/login", like: try SessionCookie(name: "sid"))
        let header = browsers.header(
            for: try #require(users.credential(of: user)), keeping: tokens, isSecure: true)
        return KnownBrowsers.tokens(inCookie: "a=b; \(header.prefix { $0 != ";" })")
    }

    @Test("cookies of its name that a neighbouring site has set hide no browser that is known")
    func plantedTokens() throws {
        let own = try #require(try tokens("ada").first)
        let name = KnownBrowsers.cookieName
        let junk = [
            String(repeating: "A", count: 65), "A", "", "!", String(repeating: "A", count: 43), "AAAA.AAAA.AAAA.AAAA",
        ]
        // As many of the right form as a head of 64 KiB holds.
        let wellFormed = (0..<1_400).map { number in
            Base64URL.string((0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 8)) })
        }
        let planted = (junk + [wellFormed.joined(separator: ".")] + wellFormed.prefix(50))
            .map { "\(name)=\($0)" }.joined(separator: "; ")
        let found = KnownBrowsers.tokens(inCookie: "\(planted); \(name)=\(Base64URL.string(own))")
        #expect(KnownBrowsers.token(for: try #require(users.credential(of: "ada")), among: found) == own)
    }

    @Test("a password over the limit of bytes or with a NUL is refused for any name, unseen and uncounted")
    func unfit() {
        for user: ByteString in ["ada", "nobody"] {
            for _ in 0..<50 {
                #expect(attempt(user, ByteString(String(repeating: "x", count: 73))) == "unfit")
                #expect(attempt(user, "pw\0") == "unfit")
            }
            #expect(attempt(user, ByteString(String(repeating: "x", count: 72))) == "wrong")
        }
        #expect(users.asked.withLock { $0 } == 2)
        #expect(attempt("ada", "pw") == "right")
    }

    @Test("a name over 255 bytes is nobody's: the password is wrong, unseen and uncounted")
    func longName() {
        let long = ByteString(String(repeating: "\u{e9}", count: 128))
        for _ in 0..<150 { #expect(attempt(long, "pw") == "wrong") }
        #expect(users.asked.withLock { $0 } == 0)
        #expect(attempt("ada", "pw") == "right")
        _ = attempt(ByteString(String(repeating: "x", count: 255)), "pw")
        #expect(users.asked.withLock { $0 } == 2)
    }

    @Test("after ten wrong passwords not even the right one is looked at, for a user or a name without one")
    func throttled() {
        for user: ByteString in ["ada", "nobody"] {
            for _ in 0..<10 { #expect(attempt(user, "no") == "wrong") }
            #expect(attempt(user, "pw") == "throttled")
        }
        #expect(users.asked.withLock { $0 } == 20)
        #expect(attempt("ada", "pw", from: "192.0.3.1") == "right")
    }

    @Test("a name that many networks guess at admits only browsers that have logged in as that user before")
    func knownBrowser() throws {
        let ada = try tokens("ada")
        let bob = try tokens("bob")
        for number in 0..<100 { #expect(attempt("ada", "no", from: "10.0.\(number).1") == "wrong") }
        #expect(attempt("ada", "pw", from: "10.1.0.1") == "throttled")
        #expect(attempt("ada", "pw", from: "10.1.0.1", bob) == "throttled")
        for _ in 0..<20 { #expect(attempt("ada", "pw", from: "10.0.1.1", ada) == "right") }
        // A cookie is no way around the limit.
        for _ in 0..<10 { #expect(attempt("ada", "no", from: "10.0.1.1", ada) == "wrong") }
        #expect(attempt("ada", "pw", from: "10.0.1.1", ada) == "throttled")
    }

    @Test("a browser that is known goes before strangers who wait for their guesses to be looked at")
    func knownBrowserFirst() throws {
        let check = LogInCheck(
            credentials: users, passwords: try Self.passwords(places: 4), limiter: PasswordThrottle(logger: nil),
            logger: check.logger)
        users.gate.withLock { $0 = false }
        let outcomes = Locked<[String]>([])
        func start(_ user: ByteString, _ tokens: [[UInt8]]) throws {
            _ = try SystemThread(name: "log-in") {
                let outcome = check.check(user: user, password: "pw", address: "192.0.2.1", tokens: tokens)
                outcomes.withLock { $0.append(Self.word(outcome)) }
            }
        }
        // One is looked at, three wait, and one is refused; then ada's browser takes the last one's place.
        for _ in 0..<5 { try start("bob", []) }
        #expect(eventually { outcomes.withLock { $0 } == ["busy"] && users.asked.withLock { $0 } == 1 })
        try start("ada", tokens("ada"))
        #expect(eventually { outcomes.withLock { $0 } == ["busy", "busy"] })
        users.gate.withLock { $0 = true }
        users.gate.wake()
        #expect(eventually { outcomes.withLock { $0.count } == 6 })
        #expect(users.names.withLock { $0 } == ["bob", "ada", "bob", "bob"])
    }

    @Test("a token that was forged, cut, or signed for another name, another entry or nobody is none")
    func forgedTokens() throws {
        let token = try #require(try tokens("ada").first)
        let ada = try #require(users.credential(of: "ada"))
        #expect(KnownBrowsers.token(for: ada, among: [[], [1], token]) == token)
        let forged = [
            Array(token.dropLast()), token + [0], [UInt8](repeating: 0, count: 32),
            token.map { $0 ^ 1 }, Array(token.prefix(16)),
        ]
        #expect(KnownBrowsers.token(for: ada, among: forged) == nil)
        #expect(KnownBrowsers.token(for: Credential(user: "ada", entry: "new".utf8), among: [token]) == nil)
        #expect(KnownBrowsers.token(for: Credential(user: "adb", entry: "entry".utf8), among: [token]) == nil)
        // What anybody can sign for a name without a user: counted as from a stranger.
        let nonce = [UInt8](repeating: 7, count: 16)
        let own = nonce + Credential(user: "nobody", entry: []).sign("known browser", nonce)
        for number in 0..<100 { #expect(attempt("nobody", "no", from: "10.0.\(number).1", [own]) == "wrong") }
        #expect(attempt("nobody", "no", from: "10.1.0.1", [own]) == "throttled")
    }

    @Test("a browser is known for the last four users who logged in, one token each")
    func severalUsers() throws {
        var all: [[UInt8]] = []
        for user: ByteString in ["ada", "bob", "ada", "bob", "bob"] { all = try tokens(user, having: all) }
        #expect(all.count == 2)
        for user: ByteString in ["ada", "bob"] {
            #expect(KnownBrowsers.token(for: try #require(users.credential(of: user)), among: all) != nil)
        }
        let foreign = (0..<6).map { [UInt8](repeating: $0, count: 32) }
        #expect(try tokens("ada", having: foreign).count == 4)
    }

    @Test("the cookie goes to the log-in only, is kept from scripts, and Secure as the session's")
    func attributes() throws {
        let ada = try #require(users.credential(of: "ada"))
        for (policy, isSecure, isMarked) in [
            (SessionCookie.SecurePolicy.automatic, false, false), (.automatic, true, true), (.always, false, true),
            (.never, true, false),
        ] {
            let session = try SessionCookie(name: "sid", secure: policy)
            let cookie = try KnownBrowsers(path: "/app/login", like: session)
                .header(for: ada, keeping: [], isSecure: isSecure)
            #expect(cookie.contains("; Path=/app/login; HttpOnly; SameSite=Lax") && cookie.contains("; Max-Age="))
            #expect(cookie.hasSuffix("; Secure") == isMarked)
        }
        for path in ["/a;b/login", "/a,b/login", "/\u{e4}/login"] {
            let cookie = try KnownBrowsers(path: path, like: try SessionCookie(name: "sid"))
                .header(for: ada, keeping: [], isSecure: false)
            #expect(cookie.contains("; Path=/; HttpOnly"))
        }
    }

    @Test("of the Cookie headers only the cookie of that name is read, and of it all tokens of the right length")
    func cookieHeader() {
        let text = Base64URL.string(Array(0..<32))
        let name = KnownBrowsers.cookieName
        for (header, count) in [
            ("\(name)=\(text)", 1), ("sid=x; \(name)=\(text).\(text)", 2), ("x\(name)=\(text)", 0),
            ("\(name)x=\(text)", 0), ("\(name)=", 0), ("\(name)", 0), ("\(name)=***.\(text)", 1), ("", 0),
            ("\(name)=\(Array(repeating: text, count: 40).joined(separator: "."))", 40),
            ("\(name)=\(text)A.A\(text).\(text.dropLast()).\(text.dropLast(2))", 0),
            ("\(name)=\(text.dropLast())_", 0), ("a=1,\(name)=\(text)", 0),
        ] {
            #expect(KnownBrowsers.tokens(inCookie: header).count == count, "\(header)")
        }
    }
}
