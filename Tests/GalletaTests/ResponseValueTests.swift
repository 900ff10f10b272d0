import Foundation
import Galleta
import TestSupport
import Testing

@Suite("What handlers return")
struct ResponseValueTests {
    private struct Item: Codable, Equatable, ResponseConvertible {
        var name: String
        var made: Date

        func response(to request: Request) throws -> Response { try .json(self) }
    }

    @Test("may be text, a page, a status, a value of one's own, or nothing, which is 404")
    func kinds() throws {
        let application = try RunningApplication { app in
            app.get("/text") { request, _ in
                let text = "text of \(request.path)"
                return text
            }
            app.get("/page") { _, _ in "<b>\("<&>")</b>" as HTML }
            app.get("/teapot") { _, _ in HTTPResponse.Status(code: 418) }
            app.get("/created") { _, _ in HTTPResponse.Status.created }
            app.get("/own") { _, _ in Item(name: "fig", made: Date(timeIntervalSince1970: 1.5)) }
            app.get("/some") { request, _ in request.query["q"] }
            app.get("/async") { _, _ async in
                await Task.yield()
                return Optional<String>.none
            }
            app.get("/json") { _, _ in try .json(["a": 1]) }
            app.get("/literal") { _, _ in "literal" }
        }
        let client = try application.client()
        #expect(try client.exchange("GET", "/text").text == "text of /text")
        let page = try client.exchange("GET", "/page")
        #expect(page.text == "<b>&lt;&amp;&gt;</b>" && page["Content-Type"] == "text/html; charset=utf-8")
        #expect(try client.exchange("GET", "/teapot").status == 418)
        let created = try client.exchange("GET", "/created")
        #expect(created.status == 201 && created.text.isEmpty)
        #expect(try client.exchange("GET", "/own").text == #"{"name":"fig","made":"1970-01-01T00:00:01.500Z"}"#)
        #expect(try client.exchange("GET", "/some?q=x").text == "x")
        #expect(try client.exchange("GET", "/some").status == 404)
        #expect(try client.exchange("GET", "/async").status == 404)
        #expect(try client.exchange("GET", "/json").text == #"{"a":1}"#)
        #expect(try client.exchange("GET", "/literal")["Content-Type"] == "text/plain; charset=utf-8")
    }

    @Test("HTML escapes what is interpolated, and nothing twice")
    func html() {
        let evil = "<script>'\"&"
        let rows = [evil, "b"].map { "<li>\($0)</li>" as HTML }
        let none: String? = nil
        let page: HTML = "<ul title='\(evil)'>\(rows)</ul>\(none)\(HTML?.none)\(7)\(raw: "<hr>")\(HTML(raw: "<br>"))"
        let escaped = "&lt;script&gt;&#39;&quot;&amp;"
        #expect(page.markup == "<ul title='\(escaped)'><li>\(escaped)</li><li>b</li></ul>7<hr><br>")
        #expect(HTML(text: evil).markup == escaped && ("a" + HTML(text: "<")).markup == "a&lt;")
        #expect(HTML.escape("") == "" && HTML.escape("é𝄞") == "é𝄞")
    }

    @Test(
        "a download has its name in every client (RFC 6266)",
        arguments: [
            ("report.pdf", "attachment; filename=\"report.pdf\""),
            ("a b;c.txt", "attachment; filename=\"a b;c.txt\""),
            ("Übersicht.pdf", "attachment; filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%9Cbersicht.pdf"),
            ("say \"hi\".txt", "attachment; filename=\"say _hi_.txt\"; filename*=UTF-8''say%20%22hi%22.txt"),
            ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
            ("../../etc/passwd", "attachment; filename=\"passwd\""), ("a\\b.txt", "attachment; filename=\"b.txt\""),
            ("a\r\nSet-Cookie: x", "attachment; filename=\"aSet-Cookie: x\""),
            ("/", "attachment; filename=\"download\""),
        ])
    func downloads(name: String, expected: String) {
        #expect(Response.text("x").asDownload(named: name).headers[.contentDisposition] == expected)
    }

    @Test("back leads to the page of this site that the client came from")
    func back() throws {
        let application = try RunningApplication(mount: "/app") { app in
            app.post("/like") { request, _ in try .redirect(back: request, or: "/app/") }
        }
        let client = try application.client()
        for (referer, target) in [
            ("https://a.example/app/x?y=1#z", "/app/x?y=1"), ("https://a.example", "/"), ("https://a.example?q", "/?q"),
            ("https://b.example/x", "/app/"), ("https://a.example//evil.example/", "/app/"), ("x", "/app/"),
            ("", "/app/"),
            ("https://a.example/\\evil", "/app/"),
        ] {
            let reply = try client.exchange(
                "POST", "/app/like",
                [("HTTP_REFERER", referer), ("HTTP_HOST", "a.example"), ("HTTPS", "on")])
            #expect(reply.status == 303 && reply["Location"] == target, "\(referer)")
        }
    }

    @Test("sequences become bodies and events; one that fails cuts the answer")
    func sequences() throws {
        struct Failure: Error {}
        let application = try RunningApplication { app in
            @Sendable func pieces(_ fails: Bool) -> AsyncThrowingStream<String, any Error> {
                AsyncThrowingStream { stream in
                    for piece in ["a,", "b,", "c"] { stream.yield(piece) }
                    stream.finish(throwing: fails ? Failure() : nil)
                }
            }
            app.get("/text") { _, _ in .sequence(pieces(false), type: "text/csv") }
            app.get("/cut") { _, _ in .sequence(pieces(true), type: "text/csv") }
            app.get("/bytes") { _, _ in
                .sequence(
                    AsyncStream {
                        $0.yield([1, 2] as [UInt8]); $0.finish()
                    }, type: "x/y", length: 2)
            }
            app.get("/events") { _, _ in .events(from: pieces(false)) { ServerSentEvent($0, type: "t", id: "i") } }
        }
        let client = try application.client()
        #expect(try client.exchange("GET", "/text").text == "a,b,c")
        let bytes = try client.exchange("GET", "/bytes")
        #expect(bytes.body == [1, 2] && bytes["Content-Length"] == "2")
        #expect(try client.exchange("GET", "/events").text.contains("event: t\nid: i\ndata: b,\n\n"))
        #expect(try client.exchange("GET", "/cut").isCut)
    }
}
