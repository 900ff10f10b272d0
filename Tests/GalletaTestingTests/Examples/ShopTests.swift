import GalletaTesting
import Testing

@testable import ShopProgram  // the executable target of the program above

@Suite("The shop")
struct ShopTests {
    @Test("keeps a visitor's cart")
    func cart() throws {
        let app = try Application.testing()
        addShop(to: app)
        try app.test { client in
            let reply = try client.post("/cart", form: ["item": "figs"])
            #expect(reply.status == .seeOther)
            let page = try client.follow(reply)
            #expect(try page.json(as: [String].self) == ["figs"])
            #expect(try client.session?.get("cart", as: [String].self) == ["figs"])
            // Another visitor has a cart of their own.
            #expect(try client.another().get("/cart").text == "[]")
        }
    }

    @Test("forgets a cart after an hour without a visit")
    func forgets() throws {
        let time = ManualSessionClock()
        let app = try Application.testing(time: time)
        addShop(to: app)
        try app.test { client throws in
            #expect(try client.post("/cart", form: ["item": "figs"]).status == .seeOther)
            time.advance(by: .seconds(3599))
            #expect(try client.get("/cart").text == "[\"figs\"]")
            time.advance(by: .seconds(3600))
            #expect(try client.get("/cart").text == "[]")
            #expect(client.cookies.isEmpty)
        }
    }

    @Test("shows orders to who is logged in")
    func orders() throws {
        let app = try Application.testing()
        addShop(to: app)
        try app.test { client in
            #expect(try client.get("/orders").status == .unauthorized)
            try client.withSession { try $0.logIn(user: "ada") }
            #expect(try client.get("/orders").text == "Orders of ada\n")
        }
    }

    @Test("takes photos")
    func photos() throws {
        let app = try Application.testing()
        addShop(to: app)
        try app.test { client throws in
            let photo = TestPart.file("photo", filename: "figs.png", type: "image/png", [0x89, 0x50, 0x4e, 0x47])
            #expect(try client.post("/photos", content: .multipart([photo])).text == "figs.png, 4 bytes\n")
        }
    }

    @Test("says what is wrong with a form")
    func badForm() throws {
        #expect(try item(in: .test(.post, "/cart", form: ["item": "figs"])) == "figs")
        #expect(throws: HTTPError.self) { try item(in: .test(.post, "/cart", form: [:])) }
        let long = String(repeating: "x", count: 21)
        #expect(throws: HTTPError.self) { try item(in: .test(.post, "/cart", form: ["item": long])) }
    }

    @Test("sends its news as they come")
    func news() async throws {
        let app = try Application.testing()
        addShop(to: app)
        try await app.test { client in
            let stream = try await client.open(TestRequest(.get, "/news"))
            #expect(try await stream.nextEvent() == ServerSentEvent("figs are ripe", id: "1"))
            #expect(try await stream.nextEvent() == ServerSentEvent("dates are in", id: "2"))
            #expect(try await stream.nextEvent() == nil)
        }
    }
}
