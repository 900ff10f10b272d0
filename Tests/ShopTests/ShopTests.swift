import Foundation
import GalletaTesting
import Passwords
import TestSupport
import Testing

@testable import Shop

@Suite("The shop")
struct ShopTests {
    private let folder: TemporaryFolder
    private let users: PasswordFile
    private let app: Application
    private static let serverTiming = HTTPField.Name("Server-Timing")!
    private static let browser: HTTPFields = [.accept: "text/html,*/*;q=0.8"]

    init() throws {
        folder = try TemporaryFolder()
        // Of the password "pw", at a low cost.
        try Data("ada:$2y$05$WTnaCMBSoalgvLCwv4XmXOPSkucTI/8PS.9dvB7p08ono/IaP7O.K\n".utf8)
            .write(to: URL(fileURLWithPath: folder.file("users")))
        users = try PasswordFile(path: folder.file("users"))
        var sessions = SessionConfiguration()
        sessions.stampCheck = users.isCurrent
        app = try Application.testing(sessions: sessions)
        let files = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Programs/Shop/Files").path
        Shop(users: users, files: files, photos: folder.path).add(to: app)
    }

    /// The token of the form on a page.
    private func token(_ client: TestClient, on path: String = "/") throws -> String {
        let page = try client.get(path).text
        let start = try #require(page.range(of: "name=\"csrf\" value=\"")).upperBound
        return String(page[start...].prefix { $0 != "\"" })
    }

    private func logIn(_ client: TestClient, password: String = "pw", next: String = "") throws -> TestReply {
        try client.post(
            "/login",
            form: ["csrf": token(client, on: "/login"), "name": "ada", "password": password, "next": next])
    }

    // MARK: Visitors

    @Test("shows what it sells, as text and never as markup, with a form for each")
    func catalogue() throws {
        try app.test { client throws in
            let page = try client.get("/")
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            #expect(page.text.contains("Almonds &amp; honey, 6.50 €") && page.text.contains("value=\"3\""))
        }
    }

    @Test("fills a cart, says so once, and tells it as a page and as JSON")
    func cart() throws {
        try app.test { client throws in
            let token = try token(client)
            for count in ["1", "2"] {
                let reply = try client.post("/cart", form: ["csrf": token, "item": "1", "count": count])
                #expect(reply.status == .seeOther && reply.headers[.location] == "/cart")
            }
            #expect(try client.get("/cart").text.contains("It is in your cart."))
            let page = try client.get("/cart").text
            #expect(page.contains("<li>3 × Figs</li>") && !page.contains("It is in your cart."))
            #expect(try client.get("/api/cart").text == #"{"lines":[{"item":1,"count":3}]}"#)
            #expect(try client.another().get("/api/cart").text == #"{"lines":[]}"#)
        }
    }

    @Test("goes back to the page that a form was on")
    func back() throws {
        try app.test { client throws in
            let reply = try client.post(
                "/cart", form: ["csrf": token(client), "item": "1", "count": "1"],
                headers: [.referer: "http://\(client.host)/"])
            #expect(reply.headers[.location] == "/")
        }
    }

    @Test("takes a cart as JSON, and says which field is at fault")
    func json() throws {
        try app.test { client throws in
            let headers: HTTPFields = [.csrfToken: try token(client)]
            func put(_ text: String) throws -> TestReply {
                try client.put("/api/cart", content: .text(text, type: "application/json"), headers: headers)
            }
            let cart = #"{"lines":[{"item":2,"count":12}]}"#
            #expect(try put(cart).text == cart)
            for (text, status, reason) in [
                (#"{"lines":[{"item":2}]}"#, 400, #"{"error":"the field \"lines[0].count\" is missing"}"#),
                (#"{"lines":[{"item":2,"count":0}]}"#, 400, #"{"error":"Take 1 to 99 of an item."}"#),
                (#"{"lines":[{"item":7,"count":1}]}"#, 404, #"{"error":"There is no such item."}"#),
            ] {
                let reply = try put(text)
                #expect(reply.status.code == status && reply.text == reason)
            }
            #expect(try client.put("/api/cart", json: Cart()).status == .forbidden)
            #expect(try client.get("/api/cart").text == cart)
        }
    }

    @Test("waits for the warehouse without a worker")
    func stock() async throws {
        try await app.test { client async throws in
            #expect(try await client.get("/items/2/stock").text == #"{"stock":12}"#)
            #expect(try await client.get("/items/9/stock").status == .notFound)
            #expect(try await client.get("/items/x/stock").status == .notFound)
        }
        #expect(app.routes.filter(\.isAsync).map(\.path) == ["/items/:id/stock", "/login"])
    }

    @Test("takes no form without the token of its page, nor one that another site's page has sent")
    func forgery() throws {
        try app.test { client throws in
            let token = try token(client)
            #expect(try client.post("/cart", form: ["item": "1", "count": "1"]).status == .forbidden)
            let foreign = try client.post(
                "/cart", form: ["csrf": token, "item": "1", "count": "1"],
                headers: [HTTPField.Name("Sec-Fetch-Site")!: "cross-site"])
            #expect(foreign.status == .forbidden)
            #expect(try client.get("/api/cart").text == #"{"lines":[]}"#)
        }
    }

    // MARK: Users

    @Test("logs in by name and password, under a new id, and goes on to the page that was wanted")
    func logIn() throws {
        try app.test { client throws in
            let refused = try client.get("/account", headers: Self.browser)
            #expect(refused.headers[.location] == "/login?next=%2Faccount")
            #expect(try client.follow(refused).text.contains("name=\"next\" value=\"/account\""))
            let before = client.cookie("sid")
            let reply = try logIn(client, next: "/account")
            #expect(reply.headers[.location] == "/account" && client.cookie("sid") != before)
            #expect(try client.follow(reply).text.contains("Welcome, ada."))
            #expect(try client.session?.user == "ada")
            #expect(try client.post("/logout", form: ["csrf": token(client)]).status == .seeOther)
            #expect(client.cookies.isEmpty)
        }
    }

    @Test("sends nobody to another site after a log-in", arguments: ["https://evil.example", "//evil.example", ""])
    func next(target: String) throws {
        try app.test { client throws in
            #expect(try logIn(client, next: target).headers[.location] == "/")
        }
    }

    @Test("refuses a wrong password, and after ten of them every one")
    func wrongPassword() throws {
        try app.test { client throws in
            for _ in 1...10 { #expect(try logIn(client, password: "x").status == .unauthorized) }
            let reply = try logIn(client)
            #expect(reply.status == .tooManyRequests && reply.headers[.retryAfter] != nil)
            #expect(try client.session?.user == nil)
        }
    }

    @Test("logs out everywhere who is no user any more")
    func removed() throws {
        try app.test { client throws in
            _ = try logIn(client)
            #expect(try client.get("/account").status == .ok)
            try Data("bob:$2y$05$WTnaCMBSoalgvLCwv4XmXOPSkucTI/8PS.9dvB7p08ono/IaP7O.K\n".utf8)
                .write(to: URL(fileURLWithPath: folder.file("users")))
            try users.reload()
            #expect(try client.get("/account").status == .unauthorized)
        }
    }

    @Test("takes photos from users, of a size that is nobody else's, and shows them to their owner")
    func photos() throws {
        try app.test { client throws in
            _ = try logIn(client)
            let jpeg: [UInt8] = [0xff, 0xd8, 0xff] + [UInt8](repeating: 7, count: 9 << 20)
            func send(_ bytes: [UInt8]) throws -> TestReply {
                let parts = [
                    TestPart.field("csrf", try token(client)),
                    .file("photo", filename: "../a.jpg", type: "image/jpeg", bytes),
                ]
                return try client.post("/account/photos", content: .multipart(parts))
            }
            let page = try client.follow(send(jpeg)).text
            #expect(page.contains("The photo is there."))
            let source = try #require(page.firstMatch(of: #/img src="([^"]+)"/#)?.1)
            let photo = try client.get(String(source))
            #expect(photo.headers[.contentType] == "image/jpeg" && photo.body == jpeg)
            let stranger = client.another()
            #expect(try stranger.get(String(source)).status == .unauthorized)
            _ = try logIn(stranger)
            #expect(try stranger.get(String(source)).status == .notFound)
            #expect(try send(Array("GIF89a".utf8)).status == .badRequest)
            #expect(try send(jpeg + [UInt8](repeating: 7, count: 12 << 20)).status == .contentTooLarge)
        }
    }

    @Test("takes no photo from a stranger")
    func stranger() throws {
        try app.test { client throws in
            let parts = [
                TestPart.field("csrf", try token(client)),
                .file("photo", filename: "a.jpg", [UInt8](repeating: 0xff, count: 1 << 20)),
            ]
            let reply = try client.post("/account/photos", content: .multipart(parts))
            #expect(reply.status == .unauthorized && reply.headers[Self.serverTiming] != nil)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["users"])
    }

    @Test("streams its ten thousand orders as a file to keep")
    func orders() throws {
        try app.test { client throws in
            #expect(try client.get("/account/orders.csv").status == .unauthorized)
            _ = try logIn(client)
            let reply = try client.get("/account/orders.csv")
            #expect(reply.headers[.contentDisposition] == "attachment; filename=\"orders.csv\"")
            #expect(reply.headers[.contentLength] == nil)
            let rows = reply.text.split(separator: "\r\n")
            #expect(rows.count == 10_001 && rows[1] == "1,\"Dates, \"\"Medjool\"\"\",2,980")
            #expect(rows.last == "10000,\"Dates, \"\"Medjool\"\"\",5,2450")
        }
    }

    // MARK: Every answer

    @Test("serves its files with 304 for who has them, and 206 for who wants a part")
    func files() throws {
        try app.test { client throws in
            let whole = try client.get("/static/shop.css")
            #expect(whole.headers[.contentType] == "text/css; charset=utf-8")
            #expect(whole.headers[.cacheControl] == "public, max-age=86400")
            let tag = try #require(whole.headers[.eTag])
            #expect(try client.get("/static/shop.css", headers: [.ifNoneMatch: tag]).status == .notModified)
            let part = try client.get("/static/shop.css", headers: [.range: "bytes=0-3"])
            #expect(part.status == .partialContent && part.text == "body")
            #expect(part.headers[.contentRange] == "bytes 0-3/\(whole.body.count)")
            #expect(try client.head("/static/shop.css").headers[.contentLength] == "\(whole.body.count)")
            #expect(try client.get("/static/../Shop.swift").status == .notFound)
            #expect(client.cookies.isEmpty)
        }
    }

    @Test("has a page of its own for errors, JSON for its scripts, and a line for other programs")
    func errors() throws {
        try app.test { client throws in
            let page = try client.get("/nowhere", headers: Self.browser)
            #expect(page.status == .notFound && page.text.contains("<a href=\"/\">To the shop</a>"))
            #expect(page.text.contains("There is no page at this address."))
            #expect(try client.get("/api/nowhere").json(as: [String: String].self).keys.contains("error"))
            #expect(try client.get("/nowhere").text == "404 Not Found\n")
            let refused = try client.delete("/cart", headers: [.csrfToken: token(client)])
            #expect(refused.status == .methodNotAllowed && refused.headers[.allow] == "GET, HEAD, POST")
        }
    }

    @Test(
        "times every answer: pages, files, refusals and errors",
        arguments: ["/", "/static/shop.css", "/static/none", "/account", "/nowhere", "/items/1/stock"])
    func timing(path: String) throws {
        try app.test { client throws in
            let timing = try #require(client.get(path).headers[Self.serverTiming])
            #expect(timing.hasPrefix("app;dur=") && Double(timing.dropFirst(8)).map { $0 > 0 } == true)
        }
    }
}
