import FastCGI
import Foundation
import GalletaPlatform
import HTTPTypes
import TestSupport
import Testing

@Suite("Responses")
struct ResponseTests {
    private func reply(_ method: String = "GET", to response: @escaping @Sendable () throws -> Response) throws
        -> FastCGIReply
    {
        let server = try RunningServer { _ in try response() }
        let client = try server.client()
        let reply = try client.exchange(method)
        // Whatever the answer was, the connection is in step.
        if !reply.isCut { #expect(try client.exchange(method).status == reply.status) }
        return reply
    }

    @Test("a known length is stated exactly", arguments: [0, 1, 8191, 8192, 65_528, 65_529, 1_000_001])
    func exactLength(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let reply = try reply { .bytes(bytes, type: "x/y") }
        #expect(reply["Content-Length"] == "\(size)")
        #expect(reply.body == bytes)
        #expect(reply["Transfer-Encoding"] == nil)
    }

    @Test("no body on HEAD, but the length that GET would have")
    func head() throws {
        for response in [Response.text("hello"), .stream(type: "x/y", length: 5) { try $0.write("hello") }] {
            let reply = try reply("HEAD") { response }
            #expect(reply.body.isEmpty)
            #expect(reply["Content-Length"] == "5")
        }
    }

    @Test("no body and no length on 204 and 304", arguments: [204, 304])
    func noContent(code: Int) throws {
        let reply = try reply { .text("never sent", status: HTTPResponse.Status(code: code)) }
        #expect(reply.status == code)
        #expect(reply.body.isEmpty)
        #expect(reply["Content-Length"] == nil)
    }

    @Test("a redirect has its status beside its location")
    func redirect() throws {
        let reply = try reply { try .redirect(to: "/app/next?x=1#y") }
        #expect(reply["Status"] == "303 See Other")
        #expect(reply["Location"] == "/app/next?x=1#y")
    }

    @Test(
        "a redirect never leaves the site",
        arguments: [
            "//evil.com", "/\\evil.com", "\\\\evil.com", "https://evil.com", "evil.com", "", "/%5Cevil.com",
            "/%09/evil.com",
            "/%0d%0aSet-Cookie:x", "/a\r\nSet-Cookie: x=1", "/%2F/evil.com", "/%2fevil.com", "javascript:alert(1)",
            "/\t/evil.com", "/a b", "/a\u{1}", "/a\u{7f}", "?next=//evil.com", "/a?next=\\evil.com",
        ]
    )
    func openRedirect(target: String) {
        let error = #expect(throws: ResponseError.self) { try Response.redirect(to: target) }
        #expect(error?.description.hasPrefix("the target of a redirect is refused: ") == true)
    }

    @Test(
        "what a URI cannot hold is percent-encoded in a redirect, what is encoded stays",
        arguments: [
            ("/caf\u{e9}", "/caf%C3%A9"), ("/cafe\u{301}", "/cafe%CC%81"),
            ("/a%20b?q=\u{20ac}#\u{df}", "/a%20b?q=%E2%82%AC#%C3%9F"),
            ("/a?next=//evil.com&x=%5C%0A", "/a?next=//evil.com&x=%5C%0A"), ("/a\u{85}b", "/a%C2%85b"),
            ("/{x}|\"<>", "/%7Bx%7D%7C%22%3C%3E"),
            ("/a/..//b", "/a/..//b"), ("/", "/"),
        ])
    func encodedRedirect(target: String, location: String) throws {
        #expect(try Response.redirect(to: target).headers[.location] == location)
    }

    @Test("another site is named as such, by http or https and with its host alone")
    func externalRedirect() throws {
        for (target, location) in [
            ("https://example.com", "https://example.com"),
            ("HTTP://example.com:8080/a?b#c", "HTTP://example.com:8080/a?b#c"),
            ("https://[::1]/\u{e9}", "https://[::1]/%C3%A9"), ("https://example.com?q", "https://example.com?q"),
        ] {
            #expect(try Response.redirect(toExternal: target).headers[.location] == location)
        }
        for target in [
            "/path", "//example.com", "ftp://example.com", "javascript:alert(1)", "https:example.com", "https:///x",
            "https://",
            "https://good.com@evil.com/", "https://good.com\\@evil.com", "https://exa mple.com", "https://a\r\nX: 1",
            "https://b\u{fc}cher.de", "https://evil%2ecom", "https://:80/", "http\u{1a}\u{f}\u{f}x",
        ] {
            #expect(throws: ResponseError.self) { try Response.redirect(toExternal: target) }
        }
    }

    @Test(
        "a status of any number has a reason phrase: its own, the registered one or that of its class",
        arguments: [
            (404, "404 Not Found"), (299, "299 Successful"), (399, "399 Redirection"), (499, "499 Client Error"),
            (599, "599 Server Error"),
        ])
    func statusLine(code: Int, line: String) throws {
        let reply = try reply { .text("x", status: HTTPResponse.Status(code: code)) }
        #expect(reply["Status"] == line)
        #expect(try self.reply { .text("x", status: .init(code: 299, reasonPhrase: "Odd")) }["Status"] == "299 Odd")
    }

    @Test("205 has no content, and says so", arguments: ["GET", "HEAD"])
    func resetContent(method: String) throws {
        for response in [
            Response.text("never sent", status: .resetContent), Response(status: .resetContent),
            .stream(type: "x/y", status: .resetContent) { try $0.write("never sent") },
        ] {
            let reply = try reply(method) { response }
            #expect(reply.status == 205 && reply.body.isEmpty && reply["Content-Length"] == "0")
        }
    }

    @Test(
        "control characters in a header value are refused, not repaired",
        arguments: ["a\r\nX: 1", "a\nb", "a\0b", "a\u{7f}"])
    func headerInjection(value: String) throws {
        let reply = try reply { Response(headers: [HTTPField.Name("X-Test")!: value]) }
        #expect(reply.status == 500)
        #expect(reply["X"] == nil)
    }

    @Test(
        "the server's own fields are not a handler's to set",
        arguments: ["Content-Length", "Transfer-Encoding", "Connection", "Status"])
    func reservedFields(name: String) throws {
        #expect(try reply { Response(headers: [HTTPField.Name(name)!: "1"]) }.status == 500)
    }

    @Test("a header block over 4 KiB is sent whole")
    func largeHead() throws {
        let value = String(repeating: "x", count: 20_000)
        #expect(try reply { Response(headers: [HTTPField.Name("X-Large")!: value]) }["X-Large"] == value)
    }

    @Test("a stream of unknown length arrives as it was written")
    func stream() throws {
        let reply = try reply {
            .stream(type: "text/plain") { writer in
                for index in 0..<100 { try writer.write("line \(index)\n") }
                try writer.flush()
                try writer.write([UInt8](repeating: 65, count: 200_000))
            }
        }
        #expect(reply["Content-Length"] == nil)
        #expect(reply.body.count == 200_000 + (0..<100).map { "line \($0)\n".utf8.count }.reduce(0, +))
    }

    private static let failures: [@Sendable (ResponseWriter) throws -> Void] = [
        { _ in throw CancellationError() },
        { try $0.write("short") },
        { try $0.write("too long, far too long") },
    ]

    @Test("a stream that fails, or ends short, is cut: nobody takes it for complete", arguments: 0..<3)
    func failingStream(kind: Int) throws {
        let reply = try reply {
            .stream(type: "text/plain", length: 10) { writer in
                try writer.write("part")
                try writer.flush()
                try Self.failures[kind](writer)
            }
        }
        #expect(reply.isCut && reply.status == 200 && reply.text == "part")
    }

    @Test("a stream that is flushed before anything was written sends its header")
    func flushedHead() throws {
        let gate = Locked(false)
        let server = try RunningServer { _ in
            .stream(type: "text/plain") { writer in
                try writer.flush()
                _ = eventually(within: 20) { gate.withLock { $0 } }
                try writer.write("body")
            }
        }
        let client = try server.client()
        try client.send(FastCGIRecord.request())
        let head = try client.record()
        #expect(String(decoding: head.content, as: UTF8.self).hasSuffix("\r\n\r\n"))
        gate.withLock { $0 = true }
        #expect(try client.record().content == Array("body".utf8))
    }

    @Test("a stream that fails before anything of it was sent is 500", arguments: 0..<3)
    func failingEarly(kind: Int) throws {
        let reply = try reply { .stream(type: "text/plain", length: 10) { try Self.failures[kind]($0) } }
        #expect(!reply.isCut && reply.status == 500 && reply.text == "500 Internal Server Error\n")
    }

    @Test("a file is sent whole; a missing one, a folder and a FIFO are 500")
    func files() throws {
        let temporary = try TemporaryFolder()
        let folder = temporary.path
        let content = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0) })
        try content.write(to: URL(fileURLWithPath: folder + "/file"))
        mkfifo(folder + "/fifo", 0o600)
        let whole = try reply { try .file(folder + "/file", type: "x/y") }
        #expect(whole.body == Array(content))
        #expect(whole["Content-Length"] == "200000")
        for name in ["missing", "fifo", "."] {
            #expect(try reply { try .file(folder + "/" + name, type: "x/y") }.status == 500)
        }
    }

    @Test("a handler that throws is 500 and tells the client nothing")
    func throwing() throws {
        struct Secret: Error { let password = "hunter2" }
        let reply = try reply { throw Secret() }
        #expect(reply.status == 500)
        #expect(reply.text == "500 Internal Server Error\n")
    }
}
