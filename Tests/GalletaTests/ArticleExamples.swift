import Galleta
import GalletaTesting
import MemorySessions
import TestSupport
import Testing

/// The examples of the article "Sessions"; `ArticleTests` compares the two.
@Suite("The examples of the article on sessions")
struct ArticleExamples {
    private struct Accounts {
        func stamp(of user: ByteString) -> [UInt8]? { nil }
    }

    private static func check(_ form: Form) -> String? {
        form.fields["password"] == "engine" ? form.fields["username"] : nil
    }

    @Test("work as they stand")
    func work() throws {
        let check = Self.check
        let accounts = Accounts()
        let client = try testClient(
            mount: "/app",
            adjust: { configuration in
                configuration.stampCheck = { user, stamp in stamp == accounts.stamp(of: user) }
            }
        ) { app in
            app.get("/form") { _, session in .text(try session.csrfToken()) }
            app.get("/notice") { _, session in .text(try session.popFlash("notice", as: String.self) ?? "none") }
            app.post("/cart") { request, session in
                let form = try request.form()
                let count = try session.update("cart", default: [String]()) { cart in
                    cart.append(form.fields["item"] ?? "")
                    return cart.count
                }
                return "\(count) items\n"
            }
            app.post("/login") { request, session in
                let form = try request.form()
                guard try session.verifyCSRF(form.fields["csrf"]) else { throw HTTPError(.forbidden) }
                guard let user = check(form) else { throw HTTPError(.unauthorized) }
                try session.logIn(user: user, client: request.header(.userAgent))
                try session.setFlash("notice", "Welcome back.")
                return try .redirect(to: "/app/")
            }
        }
        let csrf = try client.get("/app/form").text
        #expect(try client.post("/app/cart", form: ["item": "figs"]).text == "1 items\n")
        #expect(try client.post("/app/cart", form: ["item": "dates"]).text == "2 items\n")
        #expect(try client.post("/app/login", form: ["username": "ada"]).status == 403)
        let before = client.cookie("sid")
        let reply = try client.post("/app/login", form: ["csrf": "\(csrf)", "username": "ada", "password": "engine"])
        #expect(reply.status == 303 && client.cookie("sid") != before)
        #expect(try client.get("/app/notice").text == "Welcome back.")
    }
}
