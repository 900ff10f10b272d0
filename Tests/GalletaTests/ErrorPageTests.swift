import Galleta
import GalletaTesting
import TestSupport
import Testing

@Suite("Pages of errors")
struct ErrorPageTests {
    private struct Order: Decodable {
        struct Item: Decodable { let price: Int }
        let items: [Item]
    }

    private func application(_ log: CapturedLog = CapturedLog()) throws -> TestClient {
        try testClient(log: log) { app in
            app.get("/script") { _, _ in
                throw HTTPError(.conflict, "<script>", link: HTTPError.Link("<b>", to: "/\"x"))
            }
            app.get("/secret") { _, _ in throw SessionValueSecret() }
            app.post("/json") { request, _ in "\(try request.json(as: Order.self).items.count)" }
            app.post("/raw") { request, _ in
                "\(try SessionValue(json: request.body.collect()).decode(Order.self).items.count)"
            }
            app.post("/form") { request, _ in .text(try request.form().fields.require("na\"me")) }
        }
    }

    @Test("the client's going is no error of the server's, but a task that is cancelled by itself is")
    func cancelled() async throws {
        let log = CapturedLog()
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let (answers, answered) = AsyncStream<Void>.makeStream()
        let client = try testClient(log: log) { app in
            app.use {
                $2($0, $1)
            } async: {
                let answer = await $2($0, $1)
                answered.yield()
                return answer
            }
            app.get("/waits") { _, _ async throws in
                begin.yield()
                try await Task.sleep(for: .seconds(3_600))
                return ""
            }
            app.get("/own") { _, _ async throws -> String in throw CancellationError() }
        }
        let waiting = Task { try await client.send(TestRequest(.get, "/waits")) }
        _ = await begun.first { true }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        _ = await answers.first { true }
        #expect(log.lines.filter { $0.contains("request failed") }.isEmpty)
        #expect(try await client.get("/own").status == .internalServerError)
        #expect(log.lines.filter { $0.contains("request failed") }.count == 1)
    }

    private struct SessionValueSecret: Error { let password = "hunter2\u{1b}\n" }

    @Test(
        "are HTML for who asks for it, else text, and caches are told",
        arguments: [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true), ("application/xhtml+xml", true),
            ("*/*", false), ("application/json", false), ("text/html;q=0", false), ("text/html ; q=0.5", true),
            ("TEXT/HTML", true), ("", false),
        ])
    func negotiated(accept: String, isHTML: Bool) throws {
        let reply = try application().get("/nowhere", headers: [.accept: accept])
        #expect(reply.status == 404)
        #expect(reply.headers[.vary] == "Accept")
        #expect(reply.headers[.contentType] == (isHTML ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"))
        #expect(reply.text.contains(isHTML ? "<h1>Not Found</h1>" : "404 Not Found\n"))
    }

    @Test("escape what they show")
    func escaped() throws {
        let client = try application()
        let page = try client.get("/script", headers: [.accept: "text/html"]).text
        #expect(page.contains("&lt;script&gt;") && !page.contains("<script>"))
        #expect(page.contains("<a href=\"/&quot;x\">&lt;b&gt;</a>"))
        #expect(try client.get("/script").text == "409 Conflict: <script>\n<b>: /\"x\n")
    }

    @Test("tell nothing of what happened inside; the log tells it on one line, under a clean request id")
    func secret() throws {
        let log = CapturedLog()
        let client = try application(log)
        let page = try client.send(
            TestRequest(
                .get, "/secret", headers: [.accept: "text/html"], fastCGI: ["REQUEST_ID": "7\nerror forged"]))
        #expect(page.status == 500 && !page.text.contains("hunter2"))
        let line = try #require(log.lines.first { $0.contains("hunter2") })
        // A request that no handler sees is told by the path that was sent; a query never is.
        _ = try client.send(TestRequest(.get, "/", fastCGI: ["REQUEST_URI": "/%zz\u{1b}?token=7"]))
        let refused = try #require(log.lines.first { $0.contains("/%zz?") })
        #expect(!refused.contains("token") && !refused.contains("\u{1b}"))
        #expect(line.contains("7?error?forged") && !line.contains("\u{1b}") && !line.contains("\n"))
    }

    @Test("say which field of a body in JSON is at fault: 400, never 500")
    func json() throws {
        let client = try application()
        func post(_ json: String, _ path: String = "/json") throws -> TestReply {
            try client.post(path, content: .text(json, type: "application/json; charset=utf-8"))
        }
        #expect(try post(#"{"items":[{"price":1}]}"#).text == "1")
        for (json, reason) in [
            ("{", "JSON at byte 1"), ("", "JSON at byte 0"), ("[]", "form"), ("{}", "\"items\" is missing"),
            (#"{"items":[{"price":1},{}]}"#, "\"items[1].price\" is missing"),
            (#"{"items":[{"price":"x"}]}"#, "\"items[0].price\" has not the expected form"),
            (#"{"items":null}"#, "\"items\" "),
        ] {
            let reply = try post(json)
            #expect(reply.status == 400)
            #expect(reply.text.contains(reason), "\(reply.text)")
        }
        for json in ["{", "{}"] {
            let (reply, raw) = (try post(json), try post(json, "/raw"))
            #expect(raw.status == 400 && raw.text == reply.text)
        }
        #expect(try client.post("/json", content: .bytes([0x7b, 0x7d], type: nil)).status == 415)
    }

    @Test("say which field of a form is missing: 400, never 500")
    func form() throws {
        let client = try application()
        func post(_ body: String, _ type: String) throws -> TestReply {
            try client.post("/form", content: .text(body, type: type))
        }
        let urlEncoded = "application/x-www-form-urlencoded"
        #expect(try post("na%22me=", urlEncoded).status == 200)
        let missing = try post("x=1", urlEncoded)
        #expect(missing.status == 400)
        #expect(missing.text == "400 Bad Request: the field \"na\"me\" is missing\n")
        #expect(try post("x", "multipart/form-data; boundary=b").status == 400)
        #expect(try post("x", "multipart/form-data").status == 400)
        #expect(try post("x", "text/plain").status == 415)
    }

    @Test("of one's own have the library's words, only where the client takes HTML, and caches are told")
    func own() throws {
        let client = try testClient { app in
            app.onError { error, request in
                guard request.acceptsHTML else { return nil }
                let error = HTTPError(answering: error)
                return .html("<h1>\(error.status.code)</h1>\(error.explanation)", status: error.status)
            }
            app.get("/taken") { _, _ in throw HTTPError(.conflict, "it is taken") }
            app.get("/secret") { _, _ in throw SessionValueSecret() }
            app.get("/field") { request, _ in "\(try request.query.require("items", as: Int.self))" }
        }
        for (path, words) in [
            ("/taken", "<h1>409</h1>it is taken"), ("/nowhere", "<h1>404</h1>There is no page at this address."),
            ("/field", "<h1>400</h1>the field &quot;items&quot; is missing"),
            ("/secret", "<h1>500</h1>Something went wrong"),
        ] {
            let page = try client.get(path, headers: [.accept: "text/html"])
            #expect(page.text.hasPrefix(words) && !page.text.contains("hunter2"), "\(page)")
            #expect(page.headers[.vary] == "Accept")
        }
        #expect(try client.get("/taken", headers: [.accept: "*/*"]).text == "409 Conflict: it is taken\n")
    }

    @Test("leave a flash message to the page that follows a HEAD request")
    func head() throws {
        let client = try testClient { app in
            app.post("/") { _, session in
                try session.setFlash("notice", "saved")
                return "ok"
            }
            app.get("/") { _, session in .text(try session.popFlash("notice", as: String.self) ?? "-") }
        }
        _ = try client.post("/")
        let head = try client.head("/")
        #expect(head.headers[.contentLength] == "5" && head.headers[.setCookie] == nil)
        #expect(try client.get("/").text == "saved")
        #expect(try client.get("/").text == "-")
    }
}
