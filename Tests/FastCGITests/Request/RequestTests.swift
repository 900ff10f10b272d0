import FastCGI
import HTTPTypes
import TestSupport
import Testing

@Suite("Requests")
struct RequestTests {
    @Test("headers are found without regard to case, repeated ones all, in order")
    func headers() throws {
        let server = try RunningServer { request in
            let name = HTTPField.Name("x-MaRk")!
            return .text("\(request.headers(name)) \(request.header(name) ?? "-") \(request.header(.accept) ?? "none")")
        }
        let reply = try server.client().exchange("GET", "/", [("HTTP_X_MARK", "one"), ("HTTP_X_MARK", "two")])
        #expect(reply.text == #"["one", "two"] one none"#)
    }

    @Test("the content's type and length have no HTTP_ in front, and a client's forged ones are not looked at")
    func contentFields() throws {
        let server = try RunningServer { request in
            .text("\(request.header(.contentType) ?? "-") \(request.contentType ?? "-") \(request.contentLength ?? -9)")
        }
        let more = [("CONTENT_TYPE", "text/plain"), ("HTTP_CONTENT_TYPE", "evil/type"), ("HTTP_CONTENT_LENGTH", "77")]
        #expect(try server.client().exchange("POST", "/", body: [1], more).text == "text/plain text/plain 1")
    }

    @Test("every Cookie parameter is seen")
    func cookies() throws {
        let server = try RunningServer { request in
            var all: [String] = []
            request.withCookieHeaders { all.append(String(decoding: $0, as: UTF8.self)) }
            return .text(all.joined(separator: "|"))
        }
        let reply = try server.client().exchange("GET", "/", [("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2; c=3")])
        #expect(reply.text == "a=1|b=2; c=3")
    }

    @Test(
        "only the web server's word makes a request secure",
        arguments: [("on", true), ("1", true), ("off", false), ("", false), (nil, false)]
    )
    func isSecure(value: String?, expected: Bool) throws {
        let server = try RunningServer { request in .text("\(request.isSecure) \(request.scheme)") }
        let more = (value.map { [("HTTPS", $0)] } ?? []) + [("HTTP_X_FORWARDED_PROTO", "https")]
        #expect(try server.client().exchange("GET", "/", more).text == "\(expected) \(expected ? "https" : "http")")
    }

    @Test("a Proxy header is never handed on as a header")
    func httpoxy() throws {
        let server = try RunningServer { request in .text(request.header(HTTPField.Name("Proxy")!) ?? "none") }
        #expect(try server.client().exchange("GET", "/", [("HTTP_PROXY", "http://evil")]).text == "none")
    }

    @Test("a web server that forgets REQUEST_URI gets a 500 and the log the remedy")
    func missingParameters() throws {
        let server = try RunningServer { _ in .text("ok") }
        let client = try server.client()
        let pairs = FastCGIRecord.pairs([("REQUEST_METHOD", "GET")])
        let body = FastCGIRecord(FastCGIRecord.Kind.stdin).bytes
        try client.send(FastCGIRecord.begin().bytes + FastCGIRecord.stream(FastCGIRecord.Kind.params, pairs) + body)
        let reply = try client.reply()
        #expect(reply.status == 500)
        #expect(reply.text == "500 Internal Server Error\n")
        #expect(try client.exchange().text == "ok")
    }

    @Test("a path outside the mount point is 404, a malformed one 400, a method that is no token 400")
    func unusable() throws {
        let server = try RunningServer({ $0.mount = try! MountPoint("/app") }) { _ in .text("ok") }
        let client = try server.client()
        #expect(try client.exchange("GET", "/elsewhere").status == 404)
        #expect(try client.exchange("GET", "/app/%zz").status == 400)
        #expect(try client.exchange("GE T", "/app/").status == 400)
        #expect(try client.exchange("GET", "/app/").status == 200)
    }

    @Test("what a handler writes to the error stream arrives as STDERR, one line a message")
    func errorStream() throws {
        let server = try RunningServer { request in
            request.errorStream.write("something\nforged")
            return .text("ok")
        }
        let client = try server.client()
        for _ in 0..<2 {
            let reply = try client.exchange()
            #expect(String(decoding: reply.errors, as: UTF8.self) == "something forged\n")
            #expect(reply.text == "ok")
        }
    }

    @Test("an observer learns method, path without query, status and id of every request")
    func observer() throws {
        let seen = SeenPaths()
        let server = try RunningServer(
            observer: { seen.add("\($0.method) \($0.path) \($0.status) \($0.requestID ?? "-") \($0.wasSent)") },
            handler: { request in
                if request.path == "/throws" { throw RequestTestsFailure() }
                return .text("ok")
            })
        let client = try server.client()
        _ = try client.exchange("GET", "/a?secret=1", [("REQUEST_ID", "id1")])
        _ = try client.exchange("POST", "/throws", body: [1])
        _ = try client.exchange("GET", "%%%")
        #expect(eventually { seen.paths.count == 3 })
        #expect(seen.paths == ["GET /a 200 id1 true", "POST /throws 500 - true", "GET %%% 400 - true"])
    }
}

private struct RequestTestsFailure: Error {}
