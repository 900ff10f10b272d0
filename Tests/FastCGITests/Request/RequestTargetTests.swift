import Testing

@testable import FastCGI

@Suite("Request targets")
struct RequestTargetTests {
    private func target(_ uri: String, mount: String = "/app") throws -> RequestTarget {
        var uri = uri
        let mount = try MountPoint(mount)
        return try uri.withUTF8 { try RequestTarget(UnsafeRawBufferPointer($0), mount: mount) }
    }

    @Test(
        "the path below the mount point is decoded and normalised",
        arguments: [
            ("/app/hello", "/hello", ["hello"], ""),
            ("/app", "/", [], ""),
            ("/app/", "/", [], ""),
            ("/app/?x=1", "/", [], "x=1"),
            ("/app?x=1?y", "/", [], "x=1?y"),
            ("/app/a%20b//e/../f?x=%2F+y", "/a b/f", ["a b", "f"], "x=%2F+y"),
            ("/other/../app/x", "/x", ["x"], ""),
            ("//app///x//", "/x/", ["x"], ""),
            ("/app/./x/.", "/x/", ["x"], ""),
            ("/app/x/..", "/", [], ""),
            ("/%61pp/x", "/x", ["x"], ""),
            ("/app/%2e%2E/app/x", "/x", ["x"], ""),
            ("/app/a%2Fb", "/a%2Fb", ["a/b"], ""),
            ("/app/caf%C3%A9", "/café", ["café"], ""),
            ("/app/x#fragment", "/x", ["x"], ""),
            ("http://example.com/app/x?q", "/x", ["x"], "q"),
            ("HTTPS://example.com:8443/app/x", "/x", ["x"], ""),
        ]
    )
    func normalises(uri: String, path: String, segments: [String], query: String) throws {
        let target = try target(uri)
        #expect(target.path == path)
        #expect(target.segments == segments)
        #expect(target.query == query)
    }

    @Test(
        "a path outside the mount point is not ours",
        arguments: ["/", "/application/x", "/ap", "/app/../x", "/app%2Fx", "/app%2F..%2Fx", "/APP/x"]
    )
    func outside(uri: String) {
        #expect(throws: RequestTarget.Failure.outsideMount) { try target(uri) }
    }

    @Test(
        "what is no path is refused",
        arguments: [
            "", "*", "app/x", "/app/%", "/app/%4", "/app/%zz", "/app/%00", "/app/%0d%0a", "/app/a\u{1}", "/app/%ff",
            "/..",
            "/app/../../x", "example.com:443", "ftp://example.com/app/x",
        ]
    )
    func malformed(uri: String) {
        #expect {
            try target(uri)
        } throws: { error in
            if case RequestTarget.Failure.malformed = error { true } else { false }
        }
    }

    @Test("an encoded slash never leaves the mount point")
    func encodedSlash() throws {
        #expect(try target("/app/..%2Fsecret").segments == ["../secret"])
        #expect(throws: RequestTarget.Failure.outsideMount) { try target("/..%2Fapp/x") }
    }

    @Test(
        "a mount point is an absolute plain path",
        arguments: ["app", "/a/../b", "/a?b", "/a b", "/a%20b", "/a\\b", "/."])
    func badMounts(path: String) {
        #expect(throws: ConfigurationError.self) { try MountPoint(path) }
    }

    @Test("a mount point's slashes do not matter")
    func mounts() throws {
        #expect(try MountPoint("/app/").path == "/app")
        #expect(try MountPoint("/").path == "")
        #expect(try MountPoint("").path == "")
        #expect(try target("/x", mount: "/").path == "/x")
    }
}
