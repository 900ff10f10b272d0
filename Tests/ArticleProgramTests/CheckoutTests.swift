import GalletaCommand
import GalletaTesting
import Testing

@testable import CheckoutProgram

@Suite("The checkout")
struct CheckoutTests {
    private let app: Application

    init() throws {
        app = try Checkout.parse(["--mount", "/"]).application()
    }

    /// What PHP's pages do.
    private func fillCart(_ client: TestClient) throws {
        try client.withSession { try $0.set("cart", ["mug": Line(name: "Mug", cents: 1450, count: 2)]) }
    }

    private func send(_ client: TestClient, _ path: String, _ fields: FormFields = [:]) throws -> TestReply {
        var fields = fields
        try fields.append("csrf", client.csrfToken())
        return try client.post(path, form: fields)
    }

    @Test("shows what PHP's pages have put into the cart, and changes it")
    func cart() throws {
        try app.test { client throws in
            #expect(try client.get("/cart").text == "{}")
            try fillCart(client)
            #expect(try client.get("/checkout").text.contains("Mug, 29.00 €"))
            #expect(try send(client, "/cart", ["item": "mug", "count": "3"]).status == .seeOther)
            #expect(try client.get("/cart").text == #"{"mug":{"name":"Mug","cents":1450,"count":3}}"#)
            #expect(try send(client, "/cart", ["item": "mug", "count": "100"]).status == .badRequest)
            #expect(try send(client, "/cart", ["item": "jug", "count": "1"]).status == .notFound)
            _ = try send(client, "/cart", ["item": "mug", "count": "0"])
            #expect(try client.get("/checkout").text.contains("Your cart is empty"))
        }
    }

    @Test("takes the order of somebody who is logged in, once")
    func order() throws {
        try app.test { client throws in
            try fillCart(client)
            #expect(try send(client, "/checkout").status == .unauthorized)
            try client.withSession { try $0.logIn(user: "Ada") }
            #expect(try client.follow(send(client, "/checkout")).text.contains("Thank you, Ada!"))
            #expect(try send(client, "/checkout").status == .conflict)
        }
    }
}
