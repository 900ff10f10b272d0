import Foundation
import TestSupport
import Testing

@Suite("Logging in behind nginx", .serialized)
struct LoginTests {
    private let folder: TemporaryFolder
    private let server: GalletaProcess
    private let nginx: Nginx

    init() throws {
        folder = try TemporaryFolder()
        let made = try ChildProcess.run("htpasswd", ["-cbB", folder.file("users"), "ada", "engine & co"])
        #expect(made.code == 0)
        server = try GalletaProcess(["--htpasswd", folder.file("users")])
        nginx = try Nginx(socket: server.socket)
    }

    /// The page's token, and the visitor's cookie.
    private func visit(_ client: HTTPClient, cookie: String? = nil) throws -> (token: String, cookie: String) {
        let page = try client.get("/app/", cookie.map { ["Cookie: \($0)"] } ?? [])
        #expect(page.status == 200)
        let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
            .components(separatedBy: "\"").first
        return (try #require(token), try #require(page.cookie ?? cookie))
    }

    @Test("log-in and log-out: new id, old id dead, token needed, password checked")
    func flow() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let right = [("username", "ada"), ("password", "engine & co")]
        let header = ["Cookie: \(cookie)"]

        #expect(try client.post("/app/login", form: right, header).status == 403)
        let forged = (token.first == "x" ? "y" : "x") + token.dropFirst()
        #expect(try client.post("/app/login", form: right + [("csrf", forged)], header).status == 403)
        #expect(
            try client.post("/app/login", form: [("username", "ada"), ("password", "no"), ("csrf", token)], header)
                .status == 401)
        #expect(
            try client.post("/app/login", form: [("username", "bob"), ("password", "no"), ("csrf", token)], header)
                .status == 401)
        #expect(try client.get("/app/whoami", header).text == #"{"authenticated":false,"user":null}"#)

        let reply = try client.post("/app/login", form: right + [("csrf", token)], header)
        #expect(reply.status == 303)
        #expect(reply["Location"]?.hasSuffix("/app/") == true)
        let fresh = try #require(reply.cookie)
        #expect(fresh != cookie)
        #expect(try client.get("/app/whoami", header).text == #"{"authenticated":false,"user":null}"#)
        #expect(try client.get("/app/whoami", ["Cookie: \(fresh)"]).text == #"{"authenticated":true,"user":"ada"}"#)

        let (next, _) = try visit(client, cookie: fresh)
        // A link from elsewhere tells nobody so who is logged in, and says nothing else.
        #expect(try !client.get("/app/?logged-out", ["Cookie: \(fresh)"]).text.contains("logged out"))
        #expect(try !client.get("/app/?logged-out=1").text.contains("logged out"))
        // A token of before the log-in is worth nothing afterwards.
        #expect(try client.post("/app/logout", form: [("csrf", token)], ["Cookie: \(fresh)"]).status == 403)
        let out = try client.post("/app/logout", form: [("csrf", next)], ["Cookie: \(fresh)"])
        #expect(out.status == 303)
        #expect(out["Set-Cookie"]?.contains("Max-Age=0") == true)
        #expect(out["Location"]?.hasSuffix("/app/?logged-out") == true)
        #expect(try client.get("/app/?logged-out").text.contains(">You are logged out.<"))
        #expect(try client.get("/app/whoami", ["Cookie: \(fresh)"]).text == #"{"authenticated":false,"user":null}"#)
    }

    @Test("a form out of date says so and offers the page again, for people as a page, with the fields of every answer")
    func staleForm() throws {
        let client = try nginx.client()
        let page = try client.post("/app/logout", form: [("csrf", "old")], ["Accept: text/html,*/*;q=0.8"])
        #expect(page.status == 403)
        #expect(page.text.contains("<a href=\"/app/\">Load the page again</a>"))
        #expect(page["X-Content-Type-Options"] == "nosniff")
        #expect(page["Content-Security-Policy"] != nil)
        #expect(page["Vary"]?.contains("Accept") == true)
        let dated = try client.post("/app/logout", form: [("csrf", "old")], ["Cookie: sid=x", "Accept: text/html"])
        #expect(dated.text.contains("out of date") && dated.text.contains("<a href=\"/app/\">Load the page again</a>"))
        // Without any cookie the browser may refuse them: that is another remedy.
        #expect(page.text.contains("Allow cookies"))
        let origin = "Origin: http://localhost:\(nginx.port)"
        let logIn = [("csrf", "old"), ("username", "ada"), ("password", "engine & co")]
        let untaken = try client.post("/app/login", form: logIn, [origin])
        #expect(untaken.status == 403 && untaken.text.contains("Allow cookies"))
        let text = try client.post("/app/logout", form: [("csrf", "old")], ["Accept: */*"])
        #expect(text["Content-Type"]?.hasPrefix("text/plain") == true && text.text.contains("/app/"))
        for path in ["/app/nowhere", "/app/%ff"] {
            let reply = try client.get(path, ["Accept: text/html"])
            #expect(reply["X-Content-Type-Options"] == "nosniff" && reply.text.contains("<h1>"))
        }
    }

    @Test("a log-in form out of date is shown again, with the user name and a token that works")
    func staleLogIn() throws {
        let client = try nginx.client()
        let (_, cookie) = try visit(client)
        let stale = [("username", "ada"), ("password", "engine & co"), ("csrf", "old")]
        let page = try client.post("/app/login", form: stale, ["Cookie: \(cookie)", "Accept: text/html"])
        #expect(page.status == 403)
        #expect(page.text.contains("out of date") && page.text.contains("value=\"ada\""))
        let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
            .components(separatedBy: "\"").first
        let fresh = [("username", "ada"), ("password", "engine & co"), ("csrf", try #require(token))]
        #expect(try client.post("/app/login", form: fresh, ["Cookie: \(cookie)"]).status == 303)
    }

    @Test("the log-in form works as multipart/form-data, too")
    func multipart() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let fields = [("username", "ada"), ("password", "engine & co"), ("csrf", token)]
        let body =
            fields.map { "--XX\r\nContent-Disposition: form-data; name=\"\($0.0)\"\r\n\r\n\($0.1)\r\n" }.joined()
            + "--XX--\r\n"
        let reply = try client.request(
            "POST", "/app/login", ["Content-Type: multipart/form-data; boundary=XX", "Cookie: \(cookie)"],
            body: Array(body.utf8))
        #expect(reply.status == 303)
    }

    @Test("a body that is no form is 415, one that is broken 400, and the server goes on")
    func wrongForms() throws {
        let client = try nginx.client()
        #expect(try client.request("POST", "/app/login", ["Content-Type: text/plain"], body: [1]).status == 415)
        let broken = try client.request(
            "POST", "/app/login", ["Content-Type: multipart/form-data; boundary=XX"], body: Array("--XX\r\n".utf8))
        #expect(broken.status == 400)
        #expect(try client.get("/app/ping").text == "pong\n")
    }

    @Test("GET on the log-in path shows the form, and after a wrong password the user name is still in it")
    func form() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let shown = try client.get("/app/login", ["Cookie: \(cookie)"])
        #expect(shown.status == 200)
        #expect(shown.text.contains("action=\"/app/login\""))
        let wrong = [("username", "a\"da"), ("password", "no"), ("csrf", token)]
        let page = try client.post("/app/login", form: wrong, ["Cookie: \(cookie)"])
        #expect(page.status == 401)
        #expect(page.text.contains("name=\"username\" autocomplete=\"username\""))
        #expect(page.text.contains("value=\"a&quot;da\""))
        #expect(!page.text.contains("value=\"no\""))
        // What is no name is not sent back.
        for token in [token, "old"] {
            let long = [("username", String(repeating: "\"", count: 256)), ("password", "no"), ("csrf", token)]
            let refused = try client.post("/app/login", form: long, ["Cookie: \(cookie)"])
            #expect(refused.status == (token == "old" ? 403 : 401) && !refused.text.contains("&quot;&quot;"))
        }
        let user = try logIn(client, userAgent: "a")
        #expect(try client.get("/app/login", ["Cookie: \(user)"]).status == 303)
    }

    @Test("the page's counter is counted on by POST with the token only, and shares its number with GET /counter")
    func counter() throws {
        let client = try nginx.client()
        let (token, cookie) = try visit(client)
        let header = ["Cookie: \(cookie)"]
        #expect(try client.post("/app/counter", form: [], header).status == 403)
        #expect(try client.post("/app/counter", form: [("csrf", token)], header).status == 303)
        #expect(try client.get("/app/", header).text.contains("<dt>Counter</dt><dd>1<form"))
        #expect(try client.get("/app/counter", header).text == "2\n")
    }

    @Test("the cookie is Secure when nginx says HTTPS, never by a client's header")
    func secure() throws {
        let client = try server.fastCGI()
        #expect(
            try client.exchange("GET", "/app/counter", [("HTTPS", "on")])["Set-Cookie"]?.contains("; Secure") == true)
        let forged = try nginx.client().get("/app/counter", ["X-Forwarded-Proto: https", "HTTPS: on"])
        #expect(forged["Set-Cookie"]?.contains("Secure") == false)
    }

    /// Logs ada in as a browser would; her cookie.
    private func logIn(_ client: HTTPClient, userAgent: String) throws -> String {
        let (token, cookie) = try visit(client)
        let reply = try client.post(
            "/app/login", form: [("username", "ada"), ("password", "engine & co"), ("csrf", token)],
            ["Cookie: \(cookie)", "User-Agent: \(userAgent)"])
        return try #require(reply.cookie)
    }

    @Test("the page lists the user's sessions; one is logged out there, the others everywhere else")
    func lists() throws {
        let client = try nginx.client()
        let phone = try logIn(client, userAgent: "Mozilla/5.0 (Linux; Android 14) Firefox/130.0")
        let laptop = try logIn(client, userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0")
        let shell = try logIn(client, userAgent: "curl/8 <script>")
        let page = try client.get("/app/", ["Cookie: \(laptop)"]).text
        for name in [
            "Firefox on Android", "Firefox on Linux, 127.0.0.0/24</strong> (this browser)", "curl",
            "You are logged in.",
        ] {
            #expect(page.contains(name), "\(name) is missing")
        }
        #expect(!page.contains("<script>"))
        #expect(!page.contains(phone.dropFirst(4)) && !page.contains(shell.dropFirst(4)))

        // The message is there once.
        let again = try client.get("/app/", ["Cookie: \(laptop)"]).text
        #expect(!again.contains("You are logged in."))

        let row = try #require(again.components(separatedBy: "<li>").first { $0.contains("Android") })
        let field = { (name: String) in
            row.components(separatedBy: "name=\"\(name)\" value=\"").dropFirst().first?
                .components(separatedBy: "\"").first ?? ""
        }
        let (csrf, reference) = (field("csrf"), field("session"))
        #expect(
            try client.post("/app/sessions/end", form: [("session", reference)], ["Cookie: \(laptop)"]).status == 403)
        let end = [("csrf", csrf), ("session", reference)]
        #expect(try client.post("/app/sessions/end", form: end, ["Cookie: \(laptop)"]).status == 303)
        #expect(try client.get("/app/whoami", ["Cookie: \(phone)"]).text.contains("false"))
        #expect(try client.get("/app/whoami", ["Cookie: \(shell)"]).text.contains("true"))
        #expect(try client.get("/app/", ["Cookie: \(laptop)"]).text.contains("That session is logged out."))

        let others = try client.post("/app/sessions/end-others", form: [("csrf", csrf)], ["Cookie: \(laptop)"])
        #expect(others.status == 303)
        #expect(try client.get("/app/whoami", ["Cookie: \(shell)"]).text.contains("false"))
        #expect(try client.get("/app/whoami", ["Cookie: \(laptop)"]).text.contains("true"))
        #expect(try client.get("/app/", ["Cookie: \(laptop)"]).text.contains("Logged out of 1 other session."))
    }

    @Test("a stranger ends nobody's session by a reference")
    func foreignReference() throws {
        let client = try nginx.client()
        let mine = try logIn(client, userAgent: "a")
        let (token, cookie) = try visit(client)
        let form = [("csrf", token), ("session", "x")]
        #expect(try client.post("/app/sessions/end", form: form, ["Cookie: \(cookie)"]).status == 403)
        #expect(
            try client.post("/app/sessions/end-others", form: [("csrf", token)], ["Cookie: \(cookie)"]).status == 403)
        #expect(try client.get("/app/whoami", ["Cookie: \(mine)"]).text.contains("true"))
    }

    private func setPassword(_ user: String, _ password: String) throws {
        #expect(try ChildProcess.run("htpasswd", ["-bB", "-C", "4", folder.file("users"), user, password]).code == 0)
    }

    private func isLoggedIn(_ client: HTTPClient, _ cookie: String) throws -> Bool {
        try client.get("/app/whoami", ["Cookie: \(cookie)"]).text.contains("true")
    }

    @Test("a new password, and a user's removal, log out where the old one was given, with nothing to be told")
    func credentialChanges() throws {
        let client = try nginx.client()
        let before = try logIn(client, userAgent: "a")
        try setPassword("bob", "another")
        // Each visit is a look at the file, once a second.
        #expect(
            try eventually { try isLoggedIn(client, before) && server.log.contains("the password file was read again") }
        )

        try setPassword("ada", "engine & co")
        #expect(try eventually { try !isLoggedIn(client, before) })
        let after = try logIn(client, userAgent: "a")
        #expect(try isLoggedIn(client, after))

        #expect(try ChildProcess.run("htpasswd", ["-D", folder.file("users"), "ada"]).code == 0)
        #expect(try eventually { try !isLoggedIn(client, after) })
    }

    @Test("SIGHUP reads the password file at once; a broken one logs nobody out, and the log says why")
    func reload() throws {
        let client = try nginx.client()
        let cookie = try logIn(client, userAgent: "a")
        let good = folder.read("users")
        try "ada:secret\n".write(toFile: folder.file("users"), atomically: false, encoding: .utf8)
        server.process.signal(SIGHUP)
        #expect(server.hasLogged("users, line 1: user \"ada\": the password is plain text"))
        #expect(server.hasLogged("SIGHUP: what was read before stays in use"))
        #expect(try isLoggedIn(client, cookie))
        #expect(!server.log.contains("secret"))
        try good.write(toFile: folder.file("users"), atomically: false, encoding: .utf8)
        server.process.signal(SIGHUP)
        #expect(server.hasLogged("SIGHUP: read again"))
        #expect(try isLoggedIn(client, cookie))
    }

    @Test("over a restart a session lives on with --state, unless its credential has changed meanwhile")
    func restart() throws {
        try setPassword("bob", "another")
        let options = ["--htpasswd", folder.file("users"), "--state", folder.file("state")]
        func logIn(_ server: GalletaProcess, _ user: String, _ password: String) throws -> String {
            let nginx = try Nginx(socket: server.socket)
            let client = try nginx.client()
            let (token, cookie) = try visit(client)
            let form = [("username", user), ("password", password), ("csrf", token)]
            return try #require(try client.post("/app/login", form: form, ["Cookie: \(cookie)"]).cookie)
        }
        let first = try GalletaProcess(options)
        let ada = try logIn(first, "ada", "engine & co")
        let bob = try logIn(first, "bob", "another")
        #expect(first.process.stop() == 0)
        try setPassword("bob", "a new one")
        let second = try GalletaProcess(options)
        let client = try second.fastCGI()
        #expect(try client.exchange("GET", "/app/whoami", [("HTTP_COOKIE", ada)]).text.contains("true"))
        #expect(try client.exchange("GET", "/app/whoami", [("HTTP_COOKIE", bob)]).text.contains("false"))
    }

    /// A browser somewhere in the world.
    private struct Visitor: @unchecked Sendable {
        // Safe: one thread at a time uses it.
        let client: FastCGIClient
        var cookie = ""
        private var token = ""

        init(_ server: GalletaProcess, address: String) throws {
            client = try server.fastCGI()
            let page = try exchange("GET", "/app/", from: address)
            cookie = try #require(page["Set-Cookie"]?.split(separator: ";").first.map(String.init))
            token = try #require(
                page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
                    .components(separatedBy: "\"").first)
        }

        func exchange(_ method: String, _ path: String, from address: String, body: String = "") throws -> FastCGIReply
        {
            let parameters = [
                ("REQUEST_METHOD", method), ("REQUEST_URI", path), ("REMOTE_ADDR", address), ("HTTP_COOKIE", cookie),
                ("CONTENT_TYPE", "application/x-www-form-urlencoded"), ("CONTENT_LENGTH", String(body.utf8.count)),
            ]
            try client.send(
                FastCGIRecord.begin().bytes
                    + FastCGIRecord.stream(FastCGIRecord.Kind.params, FastCGIRecord.pairs(parameters))
                    + FastCGIRecord.stream(FastCGIRecord.Kind.stdin, Array(body.utf8)))
            return try client.reply()
        }

        func logIn(_ user: String, _ password: String, from address: String) throws -> FastCGIReply {
            try exchange(
                "POST", "/app/login", from: address, body: "username=\(user)&password=\(password)&csrf=\(token)")
        }
    }

    @Test("wrong passwords are refused after ten with 429 and Retry-After; a browser that was logged in before goes on")
    func throttling() throws {
        let right = "engine+%26+co"
        let guesser = try Visitor(server, address: "192.0.2.1")
        for user in ["ada", "nobody"] {
            for number in 0..<10 {
                #expect(try guesser.logIn(user, "no", from: "192.0.2.\(number)").status == 401)
            }
            let refused = try guesser.logIn(user, right, from: "192.0.2.99")
            #expect(refused.status == 429)
            #expect(refused["Retry-After"].flatMap { Int($0) }.map { (500...600).contains($0) } == true)
            #expect(refused["Content-Type"]?.hasPrefix("text/html") == true)
            #expect(refused.text.contains("Too many wrong passwords"))
        }
        #expect(server.hasLogged("log-ins are refused (429) after too many wrong passwords suppressed=0 user=ada"))

        // From another network it goes on; the session's cookie comes first, that of the browser second.
        let home = try Visitor(server, address: "198.51.100.1")
        let reply = try home.logIn("ada", right, from: "198.51.100.1")
        #expect(reply.status == 303)
        let cookies = reply.all("Set-Cookie")
        #expect(cookies.count == 2 && cookies.first?.hasPrefix("sid=") == true)
        let browser = try #require(cookies.last)
        #expect(browser.hasPrefix("galleta-known-browser=") && browser.contains("; Path=/app/login; HttpOnly"))

        // Beside the guesser.
        var known = try Visitor(server, address: "192.0.2.1")
        #expect(try known.logIn("ada", right, from: "192.0.2.1").status == 429)
        known.cookie += "; " + browser.prefix { $0 != ";" }
        #expect(try known.logIn("ada", right, from: "192.0.2.1").status == 303)
    }

    @Test("a password over 72 bytes is refused, not cut, and nothing is told about the name")
    func longPassword() throws {
        let long = String(repeating: "x", count: 72)
        try setPassword("bob", long)
        server.process.signal(SIGHUP)
        #expect(server.hasLogged("SIGHUP: read again"))
        let visitor = try Visitor(server, address: "192.0.2.1")
        let known = try visitor.logIn("bob", long + "y", from: "192.0.2.1")
        let unknown = try visitor.logIn("eve", long + "y", from: "192.0.2.1")
        #expect(known.status == 401 && unknown.status == 401)
        #expect(known.text.contains("at most 72 bytes") && unknown.text.contains("at most 72 bytes"))
        #expect(try visitor.logIn("bob", long + "%00y", from: "192.0.2.1").status == 401)
        #expect(try visitor.logIn("bob", long, from: "192.0.2.1").status == 303)
    }

    @Test("beside many guessers others are answered while only some of the guesses are checked: the rest get 503")
    func busy() throws {
        #expect(
            try ChildProcess.run("htpasswd", ["-bB", "-C", "12", folder.file("users"), "bob", "slow"]).code == 0)
        server.process.signal(SIGHUP)
        #expect(server.hasLogged("SIGHUP: read again"))
        // Two workers: one checks, and nobody waits.
        let visitors = try (0..<6).map { try Visitor(server, address: "10.0.\($0).1") }
        let answers = visitors.indices.map { _ in Cell<FastCGIReply>() }
        for (number, visitor) in visitors.enumerated() {
            let answer = answers[number]
            Thread {
                answer.set((try? visitor.logIn("user\(number)", "no", from: "10.0.\(number).1")) ?? FastCGIReply())
            }.start()
        }
        let client = try server.fastCGI()
        var pings = 0
        #expect(
            try eventually(within: 30) {
                if try client.exchange("GET", "/app/ping").text == "pong\n" { pings += 1 }
                return answers.allSatisfy { $0.value != nil }
            })
        #expect(pings > 1)
        let replies = answers.compactMap(\.value)
        #expect(Set(replies.map(\.status)) == [401, 503])
        #expect(replies.allSatisfy { $0.status == 401 || $0["Retry-After"] == "5" })
    }
}
