import Foundation
import Galleta
import GalletaPlatform
import TestSupport
import Testing

@Suite("Ready steps")
struct StepTests {
    @Test("requireUser lets pass who is logged in; a browser is sent to the log-in, all others get 401")
    func user() throws {
        let application = try RunningApplication(mount: "/app") { app in
            app.post("/login") { _, session in
                try session.logIn(user: "ada")
                return "in"
            }
            app.group("/admin") { admin in
                admin.use(.requireUser(logInAt: "/login"))
                admin.get("/:page") { request, session in "\(request.pathParameters["page"]!) of \(try session.user!)" }
                admin.post("/save") { _, _ in "saved" }
            }
            app.get("/plain", steps: [.requireUser()]) { _, _ in "plain" }
        }
        let client = try application.client()
        let sent = try client.exchange("GET", "/app/admin/x?a=1&b=2", [("HTTP_ACCEPT", "text/html")])
        #expect(sent.status == 303)
        #expect(sent["Location"] == "/app/login?next=%2Fapp%2Fadmin%2Fx%3Fa%3D1%26b%3D2")
        #expect(try client.exchange("GET", "/app/admin/x").status == 401)
        #expect(try client.exchange("POST", "/app/admin/save", [("HTTP_ACCEPT", "text/html")]).status == 401)
        #expect(try client.exchange("GET", "/app/plain", [("HTTP_ACCEPT", "text/html")]).status == 401)
        let cookie = try #require(try client.exchange("POST", "/app/login").sessionCookie)
        #expect(try client.exchange("GET", "/app/admin/x", [("HTTP_COOKIE", cookie)]).text == "x of ada")
        #expect(try client.exchange("POST", "/app/admin/save", [("HTTP_COOKIE", cookie)]).text == "saved")
        #expect(try client.exchange("GET", "/app/plain", [("HTTP_COOKIE", cookie)]).text == "plain")
    }

    // MARK: Forged requests

    private func guarded(_ step: Step = .requireCSRF()) throws -> RunningApplication {
        try RunningApplication { app in
            app.use(step)
            app.get("/token") { _, session in try session.csrfToken() }
            app.post("/buy") { request, _ in
                request.contentType?.hasPrefix("application/x-www-form") == true
                    ? "bought \(try request.form().fields["item"] ?? "-")" : "bought"
            }
        }
    }

    private static let form = ("CONTENT_TYPE", "application/x-www-form-urlencoded")

    @Test(
        "requireCSRF takes the session's token from a form's field or a header field, and the handler reads the form again"
    )
    func token() throws {
        let application = try guarded()
        let client = try application.client()
        let page = try client.exchange("GET", "/token")
        let cookie = [("HTTP_COOKIE", try #require(page.sessionCookie))]
        #expect(
            try client.exchange("POST", "/buy", body: Array("item=7&csrf=\(page.text)".utf8), cookie + [Self.form]).text
                == "bought 7")
        #expect(try client.exchange("POST", "/buy", cookie + [("HTTP_X_CSRF_TOKEN", page.text)]).text == "bought")
        #expect(try client.exchange("POST", "/buy", body: Array("item=7".utf8), cookie + [Self.form]).status == 403)
        #expect(
            try client.exchange("POST", "/buy", body: Array("item=7&csrf=x".utf8), cookie + [Self.form]).status == 403)
        #expect(try client.exchange("POST", "/buy", cookie).status == 403)
        let without = try client.exchange("POST", "/buy", body: Array("item=7&csrf=\(page.text)".utf8), [Self.form])
        #expect(without.status == 403 && without.text.contains("without a cookie"))
        #expect(try client.exchange("OPTIONS", "/buy").status == 204)
    }

    @Test("requireCSRF refuses what the browser says comes from another site, token or not, and takes trusted origins")
    func foreign() throws {
        let application = try guarded(.requireCSRF(trustedOrigins: ["https://Pay.example"]))
        let client = try application.client()
        let page = try client.exchange("GET", "/token")
        let head = [("HTTP_COOKIE", try #require(page.sessionCookie)), ("HTTP_X_CSRF_TOKEN", page.text)]
        func status(_ more: (String, String)...) throws -> Int? {
            try client.exchange("POST", "/buy", head + more).status
        }
        #expect(try status() == 200)
        #expect(try status(("HTTP_SEC_FETCH_SITE", "same-origin"), ("HTTP_ORIGIN", "https://evil.example")) == 200)
        #expect(try status(("HTTP_SEC_FETCH_SITE", "none")) == 200)
        #expect(try status(("HTTP_SEC_FETCH_SITE", "same-site")) == 403)
        #expect(try status(("HTTP_SEC_FETCH_SITE", "cross-site")) == 403)
        #expect(try status(("HTTP_SEC_FETCH_SITE", "cross-site"), ("HTTP_ORIGIN", "https://pay.example")) == 200)
        #expect(try status(("HTTP_ORIGIN", "https://pay.example.evil")) == 403)
        let own = ("REQUEST_ORIGIN", "https://shop.example:8443")
        #expect(try status(("HTTP_ORIGIN", "https://shop.example:8443"), own) == 200)
        #expect(try status(("HTTP_ORIGIN", "https://shop.example"), own) == 403)
        // Where TLS ends in front of the web server.
        let inside = ("REQUEST_ORIGIN", "http://shop.example")
        #expect(try status(("HTTP_ORIGIN", "https://shop.example"), inside) == 200)
        #expect(try status(("HTTP_ORIGIN", "https://shop.example:8443"), inside) == 403)
        // The parameter counts, not what the client sends as Host.
        #expect(try status(("HTTP_ORIGIN", "https://evil.example"), ("HTTP_HOST", "evil.example"), own) == 403)
    }

    @Test(
        "whose page has sent a request is told by the browser's word alone, byte for byte",
        arguments: [
            (["same-origin"], [], "http", "", "", true),
            (["same-origin"], ["https://evil.example"], "https", "a.example", "443", true),
            (["same-site"], ["https://a.example"], "https", "a.example", "443", false),
            (["cross-site"], ["https://a.example"], "https", "a.example", "443", false),
            (["same-origin", "cross-site"], [], "https", "a.example", "443", false),
            (["Same-Origin"], [], "https", "a.example", "443", false),
            ([], [], "https", "a.example", "443", nil),
            (["none"], [], "https", "a.example", "443", nil),
            ([], ["https://a.example"], "https", "a.example", "443", true),
            ([], ["https://a.example"], "https", "a.example", "", true),
            ([], ["http://a.example"], "http", "a.example", "80", true),
            ([], ["http://a.example"], "http", "a.example:80", "80", true),
            ([], ["https://a.example"], "https", "a.example:443", "443", true),
            ([], ["https://A.example"], "https", "a.EXAMPLE:443", "443", true),
            ([], ["http://a.example:8080"], "http", "a.example:8080", "8080", true),
            ([], ["http://a.example:8080"], "http", "a.example", "8080", true),
            ([], ["http://a.example"], "http", "a.example", "8080", true),
            ([], ["http://[::1]:8080"], "http", "[::1]", "8080", true),
            ([], ["http://[::1]:8081"], "http", "[::1]:8080", "8080", false),
            ([], ["http://a.example:81"], "http", "a.example", "80", false),
            ([], ["http://a.example:81"], "http", "a.example:80", "80", false),
            ([], ["http://a.example"], "http", "a.example:443", "443", false),
            ([], ["http://a.example"], "https", "a.example", "443", false),
            ([], ["https://b.example"], "https", "a.example", "443", false),
            ([], ["https://a.example.evil"], "https", "a.example", "443", false),
            ([], ["https://a.example@evil"], "https", "a.example", "443", false),
            ([], ["https://a.example", "https://a.example"], "https", "a.example", "443", false),
            ([], ["null"], "https", "a.example", "443", false),
            ([], [""], "https", "", "", false),
            ([], ["https://"], "https", "", "", false),
            ([], ["https://:443"], "https", "", "443", false),
            ([], ["https://jos\u{e9}"], "https", "jose\u{301}", "443", false),
        ] as [([String], [String], String, String, String, Bool?)])
    func origin(
        sites: [String], origins: [String], scheme: String, host: String, port: String, isOwn: Bool?
    ) throws {
        let application = try RunningApplication { app in app.post("/") { request, _ in "\(request.pageOrigin)" } }
        let parameters =
            sites.map { ("HTTP_SEC_FETCH_SITE", $0) } + origins.map { ("HTTP_ORIGIN", $0) }
            + [("HTTPS", scheme == "https" ? "on" : ""), ("HTTP_HOST", host), ("SERVER_PORT", port)]
        let reply = try application.client().exchange("POST", "/", parameters)
        #expect(reply.text == (isOwn.map { $0 ? "own" : "foreign" } ?? "unknown"))
    }
}
