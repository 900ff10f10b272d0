import GalletaTesting
import Testing

@Suite("The reply to a test's request")
struct ReplyTests {
    private struct Secret: Error, CustomStringConvertible {
        let description = "the cellar is locked"
    }

    @Test("of a handler that throws says why, and what the handler told the web server")
    func errors() throws {
        let app = try Application.testing()
        app.get("/fails") { request, _ in
            request.errorStream.write("first")
            request.errorStream.write("second")
            request.logger.warning("it is dark")
            request.logger.info("going down")
            throw Secret()
        }
        app.get("/fine") { _, _ in "fine" }
        try app.test { client in
            let reply = try client.get("/fails")
            #expect(reply.status == .internalServerError)
            #expect(
                reply.errors == ["warning: it is dark", "error: request failed: the cellar is locked"])
            #expect(reply.errorStream == ["first", "second"])
            #expect("\(reply)".contains("500 Internal Server Error to GET /fails"))
            #expect("\(reply)".contains("the cellar is locked"))
            let fine = try client.get("/fine")
            #expect(fine.errors.isEmpty && fine.errorStream.isEmpty)
        }
    }

    @Test("has the errors of its own request, however many are under way")
    func ownErrors() async throws {
        struct Numbered: Error { let number: String }
        let app = try Application.testing()
        app.get("/:n") { request, _ in throw Numbered(number: request.pathParameters["n"] ?? "-") }
        try await app.test { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 100..<140 {
                    group.addTask {
                        let errors = try await client.get("/\(number)").errors
                        return errors.count == 1 && errors[0].contains("\"\(number)\"")
                    }
                }
                for try await isOwn in group { #expect(isOwn) }
            }
        }
    }

    @Test("has no body on HEAD and 304, and the fields all the same")
    func withoutBody() throws {
        let app = try Application.testing()
        app.get("/page") { request, _ in
            guard request.header(.ifNoneMatch) != "\"1\"" else {
                return Response(status: .notModified, headers: [.eTag: "\"1\""])
            }
            return Response(headers: [.eTag: "\"1\""], body: .string("page"))
        }
        try app.test { client in
            let head = try client.head("/page")
            #expect(head.status == .ok && head.body.isEmpty && head.headers[.contentLength] == "4")
            let known = try client.get("/page", headers: [.ifNoneMatch: "\"1\""])
            #expect(known.status == .notModified && known.body.isEmpty && known.headers[.eTag] == "\"1\"")
        }
    }

    @Test("of server-sent events has the events")
    func events() throws {
        let app = try Application.testing()
        app.get("/news") { _, _ in
            .events { events in
                try await events.send("one\ntwo", event: "news", id: "1")
                try await events.send("three")
            }
        }
        try app.test { client in
            let reply = try client.get("/news")
            #expect(reply.events == [ServerSentEvent("one\ntwo", type: "news", id: "1"), ServerSentEvent("three")])
        }
    }

    @Test("is 413 for a body over the limit, by its length or by its bytes")
    func tooLarge() throws {
        var configuration = Server.Configuration()
        configuration.maxBodyBytes = 1000
        let app = try Application.testing(configuration: configuration)
        app.post("/") { request, _ in "\(try request.body.collect().count)" }
        try app.test { client throws in
            #expect(try client.post("/", content: .bytes([UInt8](repeating: 0, count: 1000))).text == "1000")
            let large = TestContent.bytes([UInt8](repeating: 0, count: 1_000_000))
            #expect(try client.post("/", content: large).status == .contentTooLarge)
            let chunked = TestRequest(.post, "/", content: large, fastCGI: ["CONTENT_LENGTH": "-1"])
            #expect(try client.send(chunked).status == .contentTooLarge)
            #expect(try client.post("/", form: [:]).text == "0")
        }
    }

    @Test("of a head over the limit is that of the server")
    func largeHead() throws {
        try Application.testing().test { client throws in
            #expect(try client.get("/" + String(repeating: "x", count: 100_000)).status == .uriTooLong)
        }
    }

    @Test(
        "that is a redirect is followed as browsers do",
        arguments: [
            (HTTPResponse.Status.seeOther, "GET /end?a=1 0"), (.found, "GET /end?a=1 0"),
            (.movedPermanently, "GET /end?a=1 0"), (.temporaryRedirect, "POST /end?a=1 3"),
            (.permanentRedirect, "POST /end?a=1 3"),
        ])
    func followed(status: HTTPResponse.Status, expected: String) throws {
        let app = try Application.testing()
        app.post("/start") { _, _ in try .redirect(to: "/middle#part", status: status) }
        for method in [HTTPRequest.Method.get, .post] {
            app.on(method, "/middle") { _, _ in try .redirect(to: "/end?a=1", status: status) }
            app.on(method, "/end") { request, _ in
                .text(
                    "\(request.method.rawValue) \(request.path)?\(request.queryString) \(try request.body.collect().count)"
                )
            }
        }
        try app.test { client in
            let reply = try client.post("/start", content: .text("abc"))
            #expect(reply.status == status)
            #expect(try client.follow(reply).text == expected)
        }
    }

    @Test("that leads to a whole URL, or a relative one, is followed on this host")
    func locations() throws {
        let app = try Application.testing()
        app.get("/go") { request, _ in
            Response(status: .seeOther, headers: [.location: request.query["to"] ?? ""])
        }
        app.get("/a/go") { request, _ in
            Response(status: .seeOther, headers: [.location: request.query["to"] ?? ""])
        }
        app.get("/*") { request, _ in .text("\(request.scheme) \(request.path) \(request.queryString)") }
        try app.test { client throws in
            func end(_ start: String, _ target: String) throws -> String {
                try client.follow(client.get(start, query: ["to": target])).text
            }
            #expect(try end("/go", "https://localhost/x?y") == "https /x y")
            #expect(try end("/go", "//localhost") == "http / ")
            #expect(try end("/a/go", "x") == "http /a/x ")
            #expect(try end("/a/go", "../x") == "http /x ")
            for foreign in ["https://example.com/", "//example.com/x", "mailto:ada@example.com", "http:/x"] {
                #expect(throws: TestClientError.self) { try end("/go", foreign) }
            }
            #expect(throws: TestClientError.self) { try end("/go", "/go?to=/go") }
            #expect(throws: TestClientError.self) { try client.follow(client.get("/x")) }
        }
    }
}
