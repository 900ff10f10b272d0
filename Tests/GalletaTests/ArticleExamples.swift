import Galleta
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
        let running = try RunningApplication(
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
        let nginx = try Nginx(socket: running.socket)
        let client = try nginx.client()
        let page = try client.get("/app/form")
        let cookie = "Cookie: \(try #require(page.cookie))"
        #expect(try client.post("/app/cart", form: [("item", "figs")], [cookie]).text == "1 items\n")
        #expect(try client.post("/app/cart", form: [("item", "dates")], [cookie]).text == "2 items\n")
        #expect(try client.post("/app/login", form: [("username", "ada")], [cookie]).status == 403)
        let form = [("csrf", page.text), ("username", "ada"), ("password", "engine")]
        let reply = try client.post("/app/login", form: form, [cookie])
        #expect(reply.status == 303)
        #expect(try client.get("/app/notice", ["Cookie: \(try #require(reply.cookie))"]).text == "Welcome back.")
    }
}
