import Testing

@testable import FastCGI

@Suite("Request targets")
struct RequestTargetTests {
    private func target(_ uri: String, mount: String = "/app") throws -> RequestTarget {
        try target(bytes: Array(uri.utf8), mount: mount)
    }

    private func target(bytes: [UInt8], mount: String = "/app") throws -> RequestTarget {
        let mount = try MountPoint(mount)
        return try bytes.withUnsafeBytes { try RequestTarget(raw: $0, mount: mount) }
    }

    private func target(decoded path: String, mount: String = "/app") throws -> RequestTarget {
        let mount = try MountPoint(mount)
        return try Array(path.utf8).withUnsafeBytes { try RequestTarget(decoded: $0, query: "q=%20", mount: mount) }
    }

    private func isMalformed(_ target: () throws -> RequestTarget) -> Bool {
        do {
            _ = try target()
            return false
        } catch RequestTarget.Failure.malformed {
            return true
        } catch {
            return false
        }
    }

    @Test(
        "the path below the mount point is decoded and normalised",
        arguments: [
            ("/app/hello", "/hello", ""),
            ("/app", "/", ""),
            ("/app/", "/", ""),
            ("/app/?x=1", "/", "x=1"),
            ("/app?x=1?y", "/", "x=1?y"),
            ("/app/a%20b//e/../f?x=%2F+y", "/a b/f", "x=%2F+y"),
            ("/other/../app/x", "/x", ""),
            ("//app///x//", "/x/", ""),
            ("/app/./x/./", "/x/", ""),
            ("/app/x/..", "/", ""),
            ("/app/x/y/%2E%2e/", "/x/", ""),
            ("/%61pp/x", "/x", ""),
            ("/app/%2e%2E/app/x", "/x", ""),
            ("/app/.%2e/app/%2e./app/x", "/x", ""),
            ("/app/caf%C3%A9", "/café", ""),
            ("/app/...", "/...", ""),
            ("/app/.x/x./..x", "/.x/x./..x", ""),
            ("/app/x;v=1/y", "/x;v=1/y", ""),
            ("/app/x%3Fy%23z", "/x?y#z", ""),
            ("/app/x#fragment", "/x", ""),
            ("/app/x#/../y?z", "/x", ""),
            ("/app/x?a#b", "/x", "a"),
        ]
    )
    func normalises(uri: String, path: String, query: String) throws {
        let target = try target(uri)
        #expect(target.path == ByteString(path))
        #expect(target.query == query)
    }

    @Test(
        "an absolute URI is read as its path, whatever its authority; only a whole scheme makes one",
        arguments: [
            ("http://example.com/app/x?q", "/x", "q"),
            ("HTTPS://example.com:8443/app/x", "/x", ""),
            ("hTtP://[::1]/app/x", "/x", ""),
            ("http:///app/x", "/x", ""),
            ("http://user@/app/x", "/x", ""),
        ])
    func absolute(uri: String, path: String, query: String) throws {
        let target = try target(uri)
        #expect(target.path == ByteString(path))
        #expect(target.query == query)
    }

    @Test(
        "an absolute URI without a path means the root",
        arguments: ["http://example.com", "http://example.com?q", "?q", "http://example.com#/app/x"])
    func emptyPath(uri: String) throws {
        #expect(try target(uri, mount: "/").path == "/")
        #expect(throws: RequestTarget.Failure.outsideMount) { try target(uri) }
    }

    @Test(
        "a path outside the mount point is not ours",
        arguments: [
            "/", "/application/x", "/ap", "/app/../x", "/app%2Fx", "/app%2fx/y", "/app%5Cx", "/APP/x",
            "//example.com/app/x",
            "//app.example.com/x", "/app;/x", "/app./x",
        ]
    )
    func outside(uri: String) {
        #expect(throws: RequestTarget.Failure.outsideMount) { try target(uri) }
    }

    @Test(
        "what is no path is refused",
        arguments: [
            "", "*", "app/x", "#/app/x", "/app/%", "/app/%4", "/app/%zz", "/app/%00", "/app/%0d%0a", "/app/a\u{1}",
            "/app/%ff",
            "/app/%C0%AF", "/app/%ED%A0%80", "/app/x%C3/%A9", "/..", "/app/../../x", "example.com:443",
            "ftp://example.com/app/x", "http:/app/x", "http:app/x", "http\u{1a}\u{f}\u{f}example.com/app/x",
            "http://example.com\\/app/x", "http://a b/app/x",
        ]
    )
    func malformed(uri: String) {
        #expect(isMalformed { try target(uri) })
    }

    @Test("raw bytes that are not UTF-8 are refused", arguments: [[0xff], [0xc3], [0xc0, 0xaf]])
    func rawBytes(bytes: [UInt8]) {
        #expect(isMalformed { try target(bytes: Array("/app/".utf8) + bytes) })
    }

    @Test(
        "an encoded slash or a backslash beside a dot segment is refused: web servers disagree about such a path",
        arguments: [
            "/app/x%2Fy/../whoami", "/app/x%2fy/%2e%2E/whoami", "/app/x%2Fy/.%2e/whoami", "/app/x%2Fy/%2e./whoami",
            "/app/x/../y%2Fz", "/app/./y%2Fz", "/app/y%2Fz/.", "/app/y%2Fz/..", "/app/x%2F../whoami",
            "/app/files/..%2f..%2fetc%2fpasswd", "/app/x%2F.%2Fy", "/app/..%2Fsecret", "/app/secret%2F..",
            "/..%2Fapp/x",
            "/app%2F..%2Fapp/x", "/app%2F../app/x", "/other%2Fx/../../app/x", "/app/x%2F%2Fy/../z", "/app/x/%2F../y",
            "/app/x\\y/../whoami", "/app/x%5Cy/../whoami", "/app/x%5c..%5cwhoami", "/app/..\\whoami", "/app/..%5C",
            "http://example.com/app/x%2Fy/../whoami",
        ])
    func hiddenSeparatorBesideDotSegment(uri: String) {
        #expect(isMalformed { try target(uri) })
        #expect(isMalformed { try target(uri, mount: "/") })
    }

    @Test(
        "dots that make no segment are no reason to refuse an encoded slash",
        arguments: [("/app/a.b%2Fc", "/a.b%2Fc"), ("/app/...%2F.x", "/...%2F.x"), ("/app/a%2F%2Fb", "/a%2F%2Fb")])
    func encodedSlash(uri: String, path: String) throws {
        #expect(try target(uri).path == ByteString(path))
    }

    @Test("a dot segment at the end leaves the slash before it, and a doubt")
    func finalDotSegment() throws {
        for (uri, path) in [("/app/x/.", "/x/"), ("/app/x/y/..", "/x/"), ("/app/x/%2e", "/x/"), ("/app/x/..", "/")] {
            #expect(try target(uri).path == ByteString(path))
            #expect(try target(uri).endsWithDotSegment)
        }
        for uri in ["/app/x/./", "/app/x/y/../", "/app/x/../y", "/app/x", "/app/..."] {
            #expect(try !target(uri).endsWithDotSegment)
        }
    }

    @Test(
        "what could be taken for a separator stays encoded, and a percent sign only where it would make an escape",
        arguments: [
            ("a%2Fb", "a%2Fb"), ("a%2fb", "a%2Fb"), ("a%252Fb", "a%252Fb"), ("a%252fb", "a%252fb"),
            ("a%25252Fb", "a%25252Fb"), ("a%25%32%46b", "a%252Fb"), ("a%25%2Fb", "a%%2Fb"), ("a%252%2Fb", "a%2%2Fb"),
            ("a%5Cb", "a%5Cb"), ("a\\b", "a%5Cb"), ("a%255cb", "a%255cb"), ("100%25", "100%"),
            ("50%25%20off", "50% off"),
            ("%2525", "%2525"), ("%25%25", "%%"), ("%2541", "%41"), ("%25", "%"), ("%252", "%2"),
            ("%252e%252e", "%2e%2e"),
        ])
    func escapes(segment: String, expected: String) throws {
        #expect(try target("/app/" + segment).path == ByteString("/" + expected))
    }

    @Test("requests that mean different things are never routed as one path, nor one thing as two")
    func isOneToOne() throws {
        // All texts of up to three of these pieces; their meaning, with an encoded slash or backslash as NUL or SOH.
        let pieces = [
            ("%2F", "\0"), ("%2f", "\0"), ("%5C", "\u{1}"), ("\\", "\u{1}"), ("%25", "%"), ("2", "2"), ("%32", "2"),
            ("F", "F"), ("f", "f"), ("5", "5"), ("C", "C"), ("c", "c"), ("%43", "C"),
        ]
        var meanings: [ByteString: String] = [:]
        var forms: [String: ByteString] = [:]
        func check(_ text: String, _ meaning: String, _ left: Int) throws {
            let path = try target("/app/a" + text).path
            #expect(meanings.updateValue(meaning, forKey: path) ?? meaning == meaning, "\(path)")
            #expect(forms.updateValue(path, forKey: meaning) ?? path == path, "\(text)")
            let plain = meaning.map { $0 == "\0" ? "/" : $0 == "\u{1}" ? "\\" : String($0) }.joined()
            #expect(CanonicalPath.decoded(path.string) == "/a" + plain)
            guard left > 0 else { return }
            for piece in pieces { try check(text + piece.0, meaning + piece.1, left - 1) }
        }
        try check("", "", 4)
        #expect(forms.count > 1000)
    }

    @Test("canonically equivalent paths are different, below the mount point and in it")
    func bytes() throws {
        #expect(try target("/app/caf%C3%A9").path != target("/app/cafe%CC%81").path)
        #expect(try target("/caf%C3%A9/x", mount: "/caf\u{e9}").path == "/x")
        #expect(throws: RequestTarget.Failure.outsideMount) { try target("/cafe%CC%81/x", mount: "/caf\u{e9}") }
        #expect(throws: RequestTarget.Failure.outsideMount) { try target("/%E2%84%AAey/x", mount: "/Key") }
        #expect(try MountPoint("/caf\u{e9}") != MountPoint("/cafe\u{301}"))
    }

    @Test("a combining mark behind a slash does not hide it")
    func combiningMark() throws {
        #expect(try target("/app/%CC%81x").path == "/\u{301}x")
        #expect(throws: RequestTarget.Failure.outsideMount) { try target("/app%CC%81/x") }
        #expect(try target("/\u{301}/x", mount: "/\u{301}").path == "/x")
    }

    @Test(
        "a decoded path stands for itself: no decoding, no query, no fragment",
        arguments: [
            ("/app/a b", "/a b"), ("/app", "/"), ("/app//x/", "/x/"), ("/app/a%2Fb", "/a%252Fb"),
            ("/app/100%", "/100%"),
            ("/app/%zz", "/%zz"), ("/app/x?y#z", "/x?y#z"), ("/app/%2e%2e/x", "/%2e%2e/x"), ("/app/a\\b", "/a%5Cb"),
        ])
    func decoded(path: String, expected: String) throws {
        let target = try target(decoded: path)
        #expect(target.path == ByteString(expected))
        #expect(target.query == "q=%20")
    }

    @Test(
        "a decoded path with a dot segment or a control character, and what is no path, is refused",
        arguments: [
            "", "app/x", "*", "http://example.com/app/x", "/app/../x", "/app/x/..", "/app/./x", "/app/..\\x",
            "/app/\u{1}",
            "/other/../app/x",
        ])
    func malformedDecoded(path: String) {
        #expect(isMalformed { try target(decoded: path) })
    }

    @Test(
        "a mount point is an absolute plain path",
        arguments: ["app", "/a/../b", "/a?b", "/a b", "/a%20b", "/a\\b", "/.", "/a\u{1}", "\u{301}/a"])
    func badMounts(path: String) {
        #expect(throws: ConfigurationError.self) { try MountPoint(path) }
    }

    @Test("a mount point's slashes do not matter")
    func mounts() throws {
        #expect(try MountPoint("/app/").path == "/app")
        #expect(try MountPoint("//app//x").path == "/app/x")
        #expect(try MountPoint("/").path == "")
        #expect(try MountPoint("").path == "")
        #expect(try target("/x", mount: "/").path == "/x")
    }
}
