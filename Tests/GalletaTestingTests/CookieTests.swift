import GalletaTesting
import Testing

@Suite("The cookies of a test's client")
struct CookieTests {
    /// An application that sets what a test wants, and shows what it gets.
    private func application(_ fields: String...) throws -> Application {
        let app = try Application.testing()
        app.get("/set/*") { _, _ in
            var response: Response = "set"
            for field in fields { response.headers.append(.setCookie, field) }
            return response
        }
        app.get("/*") { request, _ in .text(request.headers(.cookie).joined(separator: " + ")) }
        return app
    }

    @Test("keep the session from one request to the next, and another client has its own")
    func session() throws {
        let app = try Application.testing()
        app.get("/visits") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
        try app.test { client throws in
            #expect(client.session == nil)
            #expect(try client.get("/visits").text == "1")
            #expect(try client.get("/visits").text == "2")
            #expect(try client.session?.get("n", as: Int.self) == 2)
            #expect(try client.another().get("/visits").text == "1")
        }
    }

    @Test("two fields of one answer are two cookies")
    func twoFields() throws {
        try application("a=1; Path=/", "b=2; Path=/").test { client in
            let reply = try client.get("/set/")
            #expect(reply.headers[values: .setCookie].count == 2)
            #expect(try client.get("/").text == "a=1; b=2")
        }
    }

    @Test("a cookie of the same name, domain and path replaces the one before, in its place")
    func replaced() throws {
        try application("a=1; Path=/", "b=2; Path=/", "a=3; Path=/", "a=4; Path=/x").test { client in
            _ = try client.get("/set/")
            #expect(try client.get("/").text == "a=3; b=2")
            #expect(client.cookies.count == 3)
        }
    }

    @Test(
        "a field with the end in the past deletes",
        arguments: [
            "a=; Path=/; Max-Age=0", "a=; Path=/; Max-Age=-1", "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "a=; Path=/; expires=Thu, 01-Jan-1970 00:00:00 GMT; max-age=0",
            // Max-Age counts.
            "a=; Path=/; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
        ])
    func deleted(field: String) throws {
        try application(field).test { client in
            client.setCookie("a", "1")
            #expect(try client.get("/").text == "a=1")
            _ = try client.get("/set/")
            #expect(try client.get("/").text == "")
            #expect(client.cookies.isEmpty)
        }
    }

    @Test(
        "a cookie that browsers refuse is not taken, and why is told",
        arguments: [
            ("__Host-a=1; Path=/", "without Secure"), ("__Secure-a=1; Path=/", "without Secure"),
            ("a=1; Path=/; SameSite=None", "without Secure"), ("__host-a=1; Secure", "Path=/"),
            ("__Host-a=1; Path=/x; Secure", "Path=/"), ("__Host-a=1; Path=/; Secure; Domain=localhost", "no Domain"),
        ])
    func refused(field: String, reason: String) throws {
        try application(field, "__Host-b=1; Path=/; Secure; SameSite=None").test { client in
            client.isSecure = true
            let reply = try client.get("/set/")
            #expect(reply.refusedCookies.count == 1 && reply.refusedCookies[0].contains(reason), "\(reply)")
            #expect(client.cookies.map(\.name) == ["__Host-b"])
        }
    }

    @Test("a log-out takes the session's cookie away")
    func logOut() throws {
        let app = try Application.testing()
        app.post("/logout") { _, session in
            try session.destroy()
            return "bye"
        }
        try app.test { client in
            try client.withSession { try $0.logIn(user: "ada") }
            #expect(client.cookie("sid") != nil)
            _ = try client.post("/logout")
            #expect(client.cookie("sid") == nil && client.session == nil)
        }
    }

    @Test("Max-Age runs on the clock of the sessions, and both end together")
    func expiry() throws {
        let time = ManualSessionClock()
        var sessions = SessionConfiguration()
        sessions.idleTimeout = .seconds(100)
        let app = try Application.testing(time: time, sessions: sessions)
        app.get("/") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
        try app.test { client throws in
            #expect(try client.get("/").text == "1")
            time.advance(by: .seconds(99))
            #expect(try client.get("/").text == "2")
            time.advance(by: .seconds(99))
            #expect(client.cookie("sid") != nil && client.session != nil)
            time.advance(by: .seconds(1))
            #expect(client.cookie("sid") == nil && client.session == nil)
            #expect(try client.get("/").text == "1")
        }
    }

    @Test("the session ends in the store although its cookie, without Max-Age, does not end")
    func sessionCookie() throws {
        let time = ManualSessionClock()
        var sessions = SessionConfiguration()
        sessions.isPersistent = false
        try Application.testing(time: time, sessions: sessions).test { client in
            try client.withSession { try $0.set("n", 1) }
            #expect(client.session != nil)
            time.advance(by: .seconds(3600))
            #expect(client.cookie("sid") != nil && client.session == nil)
        }
    }

    @Test("a Secure cookie is for HTTPS: not taken, and not sent, without; the reply says so")
    func secure() throws {
        try application("a=1; Path=/; Secure").test { client in
            let reply = try client.get("/set/")
            #expect(reply.refusedCookies.count == 1)
            #expect(reply.refusedCookies[0].contains("isSecure") && "\(reply)".contains("isSecure"))
            #expect(client.cookies.isEmpty)
            client.isSecure = true
            #expect(try client.get("/set/").refusedCookies == [])
            #expect(try client.get("/").text == "a=1")
            client.isSecure = false
            #expect(try client.get("/").text == "")
        }
    }

    @Test(
        "a path is for itself and what is below",
        arguments: [
            ("/shop", true), ("/shop/", true), ("/shop/x", true), ("/shopping", false), ("/", false),
            ("/x/shop", false),
        ])
    func path(path: String, isSent: Bool) throws {
        try application("a=1; Path=/shop").test { client in
            _ = try client.get("/set/")
            #expect(try client.get(path).text == (isSent ? "a=1" : ""))
        }
    }

    @Test("without a path it is for the directory of the request, and longer paths come first")
    func defaultPath() throws {
        try application("a=1", "b=2; Path=/", "c=3; Path=/set/deep/er").test { client in
            _ = try client.get("/set/deep/page")
            #expect(client.cookies.map(\.path) == ["/set/deep", "/", "/set/deep/er"])
            #expect(try client.get("/").text == "b=2")
        }
        try application("a=1; Path=/p", "b=2; Path=/p/deep").test { client in
            _ = try client.get("/set/")
            #expect(try client.get("/p/deep/x").text == "b=2; a=1")
        }
    }

    @Test("a domain is for hosts below it; that of another site is not taken")
    func domain() throws {
        let fields = ["own=1; Path=/; Domain=.example.org", "foreign=1; Path=/; Domain=example.com", "host=1; Path=/"]
        let app = try application(fields[0], fields[1], fields[2])
        try app.test { client in
            client.host = "www.example.org"
            let reply = try client.get("/set/")
            #expect(reply.refusedCookies.count == 1 && reply.refusedCookies[0].hasPrefix("foreign: "))
            #expect(try client.get("/").text == "own=1; host=1")
            client.host = "shop.example.org"
            #expect(try client.get("/").text == "own=1")
            client.host = "notexample.org"
            #expect(try client.get("/").text == "")
        }
    }

    @Test("can be given and taken away by hand")
    func byHand() throws {
        try application().test { client throws in
            client.setCookie("a", "1")
            client.setCookie("b", "2")
            #expect(try client.get("/").text == "a=1; b=2")
            client.setCookie("a", nil)
            #expect(try client.get("/").text == "b=2")
            client.removeCookies()
            #expect(try client.get("/").text == "")
        }
    }

    @Test("a token for a form is one of the client's session, whether that has begun or not")
    func csrfToken() throws {
        let app = try Application.testing()
        app.use(.requireCSRF())
        app.post("/") { _, session in "\(try session.user ?? "nobody")" }
        try app.test { client in
            #expect(try client.post("/", form: ["csrf": client.csrfToken()]).text == "nobody")
            try client.withSession { try $0.logIn(user: "ada") }
            #expect(try client.post("/", form: ["csrf": client.csrfToken()]).text == "ada")
            #expect(try client.another().post("/", form: ["csrf": client.csrfToken()]).status == .forbidden)
        }
    }

    @Test("a session can be prepared, and what throws leaves it as it was")
    func withSession() throws {
        struct Failure: Error {}
        let app = try Application.testing()
        app.get("/") { _, session in .text(try session.user?.string ?? "nobody") }
        try app.test { client in
            try client.withSession { try $0.logIn(user: "ada") }
            #expect(try client.get("/").text == "ada")
            #expect(throws: Failure.self) {
                try client.withSession {
                    try $0.set("n", 1)
                    throw Failure()
                }
            }
            #expect(try client.session?.keys == [])
        }
    }
}
