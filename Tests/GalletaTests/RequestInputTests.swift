import Foundation
import Galleta
import TestSupport
import Testing

@Suite("What handlers ask of a request")
struct RequestInputTests {
    private struct Order: Codable, Equatable {
        struct Line: Codable, Equatable {
            var id: UInt8
        }

        var item: Int
        var price: Double
        var gift: Bool
        var tags: [String]
        var note: String?
        var by: Date?
        var lines: [Line]?
    }

    private let application: RunningApplication

    init() throws {
        application = try RunningApplication { app in
            app.post("/order") { request, _ in
                let order = try request.decode(Order.self)
                return "\(order.item) \(order.price) \(order.gift) \(order.tags) \(order.note ?? "-") "
                    + "\(order.by?.timeIntervalSince1970 ?? 0)"
            }
            app.get("/query") { request, _ in
                let page = try request.query.value("page", as: Int.self) ?? 1
                return "\(try request.query.require("id", as: Int.self)) \(page)"
            }
            app.get("/users/:id") { request, _ in "\(try request.pathParameters.require("id", as: UInt8.self))" }
            app.get("/cookies") { request, _ in
                "\(request.cookies["a"] ?? "-") \(request.cookies.all("a")) \(request.cookies.map { "\($0.name)" })"
            }
            app.get("/parameters") { request, _ in
                "\(request.fastCGI["REMOTE_USER"] ?? "-") \(request.fastCGI["remote_user"] ?? "-") "
                    + "\(request.fastCGI.bytes("X_BYTES") ?? []) \(request.fastCGI.contains { $0.name == "REMOTE_USER" })"
            }
        }
    }

    private func order(_ type: String, _ body: String) throws -> FastCGIReply {
        try application.client().exchange("POST", "/order", body: Array(body.utf8), [("CONTENT_TYPE", type)])
    }

    private static let form = "application/x-www-form-urlencoded"

    @Test("a value is decoded from JSON and from forms alike")
    func decoding() throws {
        let json = #"{"item":7,"price":2.5,"gift":true,"tags":["a","b"],"note":"x","by":"1970-01-02T00:00:00Z"}"#
        let expected = #"7 2.5 true ["a", "b"] x 86400.0"#
        #expect(try order("application/json", json).text == expected)
        #expect(try order("Application/Vnd.shop+JSON; charset=utf-8", json).text == expected)
        #expect(
            try order(Self.form, "item=7&price=2.5&gift=on&tags=a&tags=b&note=x&by=1970-01-02").text == expected)
        #expect(try order(Self.form, "item=+7+&price=2&gift=0&tags[]=a").text == #"7 2.0 false ["a"] - 0.0"#)
        #expect(try order(Self.form, "item=7&price=1e2&note=&by=").text == #"7 100.0 false [] - 0.0"#)
        let parts = ["item": "7", "price": "2.5", "gift": "true", "note": "x"].map {
            "--b\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n"
        }
        #expect(
            try order("multipart/form-data; boundary=b", parts.joined() + "--b--").text == "7 2.5 true [] x 0.0")
    }

    @Test(
        "what does not fit is 400 and names the field, never its value",
        arguments: [
            (form, "price=1", "\"item\""), (form, "item=seven&price=1", "\"item\""),
            (form, "item=7&price=inf", "\"price\""),
            (form, "item=9223372036854775808&price=1", "\"item\""), (form, "item=7&price=1&gift=maybe", "\"gift\""),
            (form, "item=7&price=1&by=soon", "\"by\""), (form, "item=7&price=1&by=2026-02-30", "\"by\""),
            ("application/json", #"{"item":"7","price":1,"gift":true,"tags":[]}"#, "\"item\""),
            ("application/json", #"{"item":7,"price":1,"gift":true,"tags":["a",2]}"#, "\"tags[1]\""),
            (
                "application/json", #"{"item":7,"price":1,"gift":true,"tags":[],"lines":[{"id":1},{"id":256}]}"#,
                "\"lines[1].id\""
            ),
            ("application/json", #"{"item":7"#, "byte"),
        ])
    func badFields(type: String, body: String, name: String) throws {
        let reply = try order(type, body)
        #expect(reply.status == 400 && reply.text.contains(name) && !reply.text.contains("seven"), "\(reply.text)")
    }

    @Test("another kind of body is 415")
    func otherTypes() throws {
        for type in ["text/plain", "", "application/xml"] { #expect(try order(type, "{}").status == 415) }
    }

    @Test("fields of the query and the path have the type that was asked for")
    func typed() throws {
        let client = try application.client()
        #expect(try client.exchange("GET", "/query?id=7&page=3").text == "7 3")
        #expect(try client.exchange("GET", "/query?id=7&page=").text == "7 1")
        for text in ["nan", "inf", "-infinity", "1e999"] {
            #expect(throws: HTTPError.self) {
                try (["x": text] as FormFields).require("x", as: Double.self)
            }
            #expect(throws: HTTPError.self) { try (["x": text] as FormFields).value("x", as: Float.self) }
        }
        for query in ["", "?id=", "?id=x", "?id=7&page=x"] {
            #expect(try client.exchange("GET", "/query" + query).status == 400)
        }
        #expect(try client.exchange("GET", "/users/255").text == "255")
        for id in ["256", "x", "-1"] { #expect(try client.exchange("GET", "/users/\(id)").status == 404) }
    }

    @Test("cookies are compared byte by byte, the first of a name counts, and names may come again")
    func cookies() throws {
        let client = try application.client()
        let reply = try client.exchange(
            "GET", "/cookies", [("HTTP_COOKIE", "b=1; a=2=3 ;A=4;junk; a=\"5\";=6;"), ("HTTP_COOKIE", "a=7")])
        #expect(reply.text == #"2=3 ["2=3", "\"5\"", "7"] ["b", "a", "A", "a", "", "a"]"#)
        #expect(try client.exchange("GET", "/cookies").text == "- [] []")
    }

    @Test("parameters of the web server are there as they were sent")
    func parameters() throws {
        let reply = try application.client().exchange(
            "GET", "/parameters", [("REMOTE_USER", "ada"), ("REMOTE_USER", "bob"), ("X_BYTES", "\u{e9}")])
        #expect(reply.text == "ada - [195, 169] true")
    }
}
