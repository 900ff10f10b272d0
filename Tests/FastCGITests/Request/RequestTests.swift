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
        arguments: [
            ("on", true), ("1", true), ("ON", true), ("On", true), ("off", false), ("OFF", false), ("no", false),
            ("false", false), ("0", false), ("yes", false), ("o\u{e}", false), ("11", false), ("", false), (nil, false),
        ]
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

    /// Sends a GET with these parameters and no REQUEST_URI.
    private func get(_ client: FastCGIClient, _ parameters: [(String, String)]) throws -> FastCGIReply {
        let pairs = FastCGIRecord.pairs([("REQUEST_METHOD", "GET")] + parameters)
        let body = FastCGIRecord(FastCGIRecord.Kind.stdin).bytes
        try client.send(FastCGIRecord.begin().bytes + FastCGIRecord.stream(FastCGIRecord.Kind.params, pairs) + body)
        return try client.reply()
    }

    @Test("a web server that gives no address gets a 500 and the log the remedy")
    func missingParameters() throws {
        let server = try RunningServer { _ in .text("ok") }
        let client = try server.client()
        let reply = try get(client, [("PATH_INFO", "")])
        #expect(reply.status == 500)
        #expect(reply.text == "500 Internal Server Error\n")
        #expect(try client.exchange().text == "ok")
    }

    @Test(
        "without REQUEST_URI the path is SCRIPT_NAME and PATH_INFO, never decoded again",
        arguments: [
            ([("SCRIPT_NAME", "/app/ping")], "200 /ping ?"),
            ([("SCRIPT_NAME", "/app"), ("PATH_INFO", "/a b/c"), ("QUERY_STRING", "x=%20")], "200 /a b/c ?x=%20"),
            ([("SCRIPT_NAME", ""), ("PATH_INFO", "/app/x%2Fy")], "200 /x%252Fy ?"),
            (
                [("SCRIPT_NAME", "/app/who"), ("PATH_INFO", "ami")],
                "400 does not join: the latter has no slash in front"
            ),
            ([("SCRIPT_NAME", "/app/x/../whoami")], "400 is decoded already and holds a dot segment"),
            ([("SCRIPT_NAME", "/app"), ("PATH_INFO", "/x\u{1}")], "400 holds a control character"),
            ([("SCRIPT_NAME", "/elsewhere")], "404 is not below the mount point"),
        ])
    func scriptName(parameters: [(String, String)], expected: String) throws {
        let log = CapturedLog()
        let server = try RunningServer({ $0.mount = try! MountPoint("/app") }, log: log) { request in
            .text("200 \(request.path) ?\(request.queryString)")
        }
        let reply = try get(server.client(), parameters)
        if reply.status == 200 {
            #expect(reply.text == expected)
        } else {
            #expect(expected.prefix(3) == String(reply.status ?? 0))
            #expect(eventually { log.text.contains("the path of SCRIPT_NAME and PATH_INFO \(expected.dropFirst(4))") })
        }
    }

    @Test(
        "a named parameter holds the address in place of REQUEST_URI; a decoded one is never decoded again",
        arguments: [
            (RequestAddress.Form.decoded, "/x%2Fy?z", "a=1", "/x%252Fy?z ?a=1"),
            (.decoded, "/%2e%2e/x", "", "/%2e%2e/x ?"),
            (.decoded, "/a/../b", "", "400"), (.raw, "/x%2Fy?z", "a=1", "/x%2Fy ?z"), (.raw, "/%2e%2e/x", "", "400"),
            (.raw, "/a/../b", "", "/b ?"),
        ])
    func address(form: RequestAddress.Form, address: String, query: String, expected: String) throws {
        let server = try RunningServer({ $0.address = try! RequestAddress("THE_PATH", form: form) }) { request in
            .text("\(request.path) ?\(request.queryString)")
        }
        let client = try server.client()
        let reply = try client.exchange("GET", "/whoami", [("THE_PATH", address), ("QUERY_STRING", query)])
        #expect(reply.status == 200 ? reply.text == expected : String(reply.status ?? 0) == expected)
        // Without it, REQUEST_URI is not trusted in its place, nor the mount point that web servers send as SCRIPT_NAME.
        #expect(try client.exchange("GET", "/whoami", [("SCRIPT_NAME", "/script")]).status == 500)
        #expect(try client.exchange("GET", "/whoami").status == 500)
        let checker = FastCGIRecord.pairs([("REQUEST_METHOD", "GET"), ("SCRIPT_NAME", "/script")])
        try client.send(
            FastCGIRecord.begin().bytes + FastCGIRecord.stream(FastCGIRecord.Kind.params, checker)
                + FastCGIRecord(FastCGIRecord.Kind.stdin).bytes)
        #expect(try client.reply().text == "/script ?")
    }

    @Test(
        "an address is never taken from what a client can name",
        arguments: ["", "A B", "HTTP_X_ORIGINAL_URL", "HTTP_", "CONTENT_TYPE", "CONTENT_LENGTH", "caf\u{e9}", "A=B"])
    func badAddresses(name: ByteString) {
        #expect(throws: ConfigurationError.self) { try RequestAddress(name) }
    }

    @Test(
        "an address is never taken from a parameter that holds something else, but from those that hold a path",
        arguments: [
            ("QUERY_STRING", false), ("REQUEST_METHOD", false), ("REQUEST_SCHEME", false), ("REQUEST_ID", false),
            ("REMOTE_USER", false), ("REMOTE_ADDR", false), ("REMOTE_PORT", false), ("SERVER_NAME", false),
            ("SERVER_PROTOCOL", false), ("CONTENT_DISPOSITION", false), ("AUTH_TYPE", false), ("HTTPS", false),
            ("GATEWAY_INTERFACE", false), ("DOCUMENT_ROOT", false), ("SCRIPT_FILENAME", false),
            ("PATH_TRANSLATED", false), ("REQUEST_URI", true), ("DOCUMENT_URI", true), ("PATH_INFO", true),
            ("SCRIPT_NAME", true), ("REDIRECT_URL", true), ("GALLETA_PATH", true), ("THE_CONTENT_TYPE", true),
        ])
    func otherMeanings(name: ByteString, isAddress: Bool) {
        do throws(ConfigurationError) {
            #expect(try RequestAddress(name, form: .decoded).parameter == name && isAddress)
        } catch {
            #expect(!isAddress && error.field == "address")
            #expect(error.reason.hasPrefix("\(name) holds") && error.remedy.contains("REQUEST_URI"))
        }
    }

    @Test("an encoded slash beside a dot segment is 400")
    func hiddenSeparator() throws {
        let server = try RunningServer({ $0.mount = try! MountPoint("/app") }) { request in .text(request.path) }
        let client = try server.client()
        #expect(try client.exchange("GET", "/app/x%2Fy/../whoami").status == 400)
        #expect(try client.exchange("GET", "/app/x/../whoami").text == "/whoami")
    }

    @Test("segments are those of the path, a combining mark or not")
    func segments() throws {
        let server = try RunningServer { request in .text("\(request.segments.map { Array($0.utf8) })") }
        let reply = try server.client().exchange("GET", "/a%2Fb//%CC%81/c")
        #expect(reply.text == "\([Array("a%2Fb".utf8), [0xcc, 0x81], Array("c".utf8)])")
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
