import Sessions
import Testing

@Suite("The session cookie")
struct SessionCookieTests {
    static let a = String(repeating: "a", count: 42) + "A"
    static let b = String(repeating: "b", count: 42) + "A"

    @Test(
        "is found in whatever header holds it",
        arguments: [
            ("sid=\(a)", [a]),
            ("x=1; sid=\(a)", [a]),
            ("sid=\(a); x=1", [a]),
            ("sid=\(a);x=1", [a]),
            (" \t sid=\(a) \t ", [a]),
            ("x=1;sid=\(a);y=2", [a]),
            ("x=1, sid=\(a)", []),
            ("x=1,sid=\(a),y=2", []),
            ("sid=\(a), y=2", []),
            ("x=\"1; sid=\(a)\"", []),
            ("x=\"1\"; sid=\(a)", [a]),
            ("sid=\(a)\n; x=1", []),
            ("sid=\(a); sid=\(b)", [a, b]),
            ("sid=\(a); sid=\(a)", [a]),
            ("sid=foreign; sid=\(b)", [b]),
            ("sid=; sid=\(b)", [b]),
            ("sid; sid=\(b)", [b]),
            ("=; ==; sid=\(b); ;;", [b]),
            ("x=sid=\(b)", []),
            ("xsid=\(a)", []),
            ("x sid=\(a)", []),
            ("SID=\(a)", []),
            ("sid =\(a)", []),
            ("sid= \(a)", []),
            ("sid=\"\(a)\"", []),
            ("sid=\(a)x", []),
            ("sid=\(a) x", []),
            ("sid=\(a)=", []),
            ("sid=\(a.dropLast())", []),
            ("sid=\(a.dropLast())%41", []),
            ("", []),
            (";", []),
            ("sid", []),
            ("sid=", []),
        ])
    func parsing(header: String, found: [String]) throws {
        let cookie = try SessionCookie(name: "sid")
        var candidates = SessionIDCandidates()
        Array(header.utf8).withUnsafeBytes { candidates.collect(from: $0, named: cookie) }
        #expect((0..<candidates.count).map { candidates[$0].encoded } == found)
    }

    @Test(
        "of another name's case or prefix is another cookie",
        arguments: ["__host-sid", "__HOST-sid", "Host-sid", "sid"])
    func prefixes(name: String) throws {
        let cookie = try SessionCookie(name: "__Host-sid", secure: .always)
        for header in ["\(name)=\(Self.a)", "x=1,__Host-sid=\(Self.a)", "x=1, __Host-sid=\(Self.a)"] {
            var candidates = SessionIDCandidates()
            Array(header.utf8).withUnsafeBytes { candidates.collect(from: $0, named: cookie) }
            #expect(candidates.isEmpty, "\(header)")
        }
    }

    @Test("is looked for in several headers, 32 ids at most")
    func accumulates() throws {
        let cookie = try SessionCookie(name: "sid")
        var candidates = SessionIDCandidates()
        let ids = (0..<40).map { _ in SessionID.random() }
        for id in ids {
            Array("x=1; sid=\(id.encoded)".utf8).withUnsafeBytes { candidates.collect(from: $0, named: cookie) }
        }
        #expect((0..<candidates.count).map { candidates[$0] } == Array(ids.prefix(32)))
    }

    @Test("is set and deleted with the same attributes")
    func headers() throws {
        let id = try #require(SessionID(Self.a))
        let plain = try SessionCookie(name: "sid")
        #expect(
            plain.setHeader(id, maxAge: .seconds(60), isSecure: false)
                == "sid=\(Self.a); Max-Age=60; Path=/; HttpOnly; SameSite=Lax")
        #expect(
            plain.setHeader(id, maxAge: nil, isSecure: true) == "sid=\(Self.a); Path=/; HttpOnly; SameSite=Lax; Secure")
        #expect(plain.setHeader(id, maxAge: .milliseconds(1_500), isSecure: false).contains("Max-Age=2;"))
        let full = try SessionCookie(
            name: "__Secure-sid", sameSite: .none, secure: .always, path: "/app", domain: "example.org",
            isPartitioned: true)
        let attributes = "; Path=/app; Domain=example.org; HttpOnly; SameSite=None; Secure; Partitioned"
        #expect(full.setHeader(id, maxAge: .seconds(1), isSecure: false).hasSuffix("; Max-Age=1" + attributes))
        #expect(
            full.deleteHeader(isSecure: false)
                == "__Secure-sid=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT" + attributes)
        let never = try SessionCookie(name: "sid", secure: .never)
        #expect(!never.setHeader(id, maxAge: nil, isSecure: true).contains("Secure"))
    }

    @Test(
        "has a name that is a token", arguments: ["", "a b", "a=b", "a;b", "a,b", "é", "a\"", "a\r\nb", "a/b", "a(b)"])
    func names(name: String) {
        let error = #expect(throws: ConfigurationError.self) { try SessionCookie(name: name) }
        #expect(error?.field == "cookieName")
    }

    @Test("holds to the rules of prefixes and of Secure")
    func rules() throws {
        _ = try SessionCookie(name: "__Host-sid", secure: .always)
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "__Host-sid") }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "__host-sid", secure: .always, path: "/a") }
        #expect(throws: ConfigurationError.self) {
            try SessionCookie(name: "__Host-sid", secure: .always, domain: "a.b")
        }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "__Secure-sid") }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "sid", sameSite: .none) }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "sid", isPartitioned: true) }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "sid", path: "a") }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "sid", path: "/;x") }
        #expect(throws: ConfigurationError.self) { try SessionCookie(name: "sid", domain: "a;b") }
    }
}
