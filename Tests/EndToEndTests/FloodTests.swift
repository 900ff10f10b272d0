import Foundation
import TestSupport
import Testing

@Suite("A flood of visitors who never come back", .serialized)
struct FloodTests {
    private func logIn(_ server: GalletaProcess, _ client: HTTPClient) throws -> String {
        let page = try client.get("/app/")
        let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
            .components(separatedBy: "\"").first
        let form = [
            ("username", "demo"), ("password", try #require(server.demoPassword)), ("csrf", try #require(token)),
        ]
        let reply = try client.post("/app/login", form: form, ["Cookie: \(try #require(page.cookie))"])
        return try #require(reply.cookie)
    }

    @Test("neither fills the store nor pushes out a user, or a visitor who came back; all are answered")
    func cap() throws {
        let server = try GalletaProcess(["--max-sessions", "50", "--no-access-log"])
        let nginx = try Nginx(socket: server.socket)
        var client = try nginx.client()
        let user = try logIn(server, client)
        let visitor = try #require(try client.get("/app/counter").cookie)
        #expect(try client.get("/app/counter", ["Cookie: \(visitor)"]).text == "2\n")
        for _ in 0..<3_000 {
            let reply = try client.get("/app/counter")
            #expect(reply.status == 200 && reply.text == "1\n")
            if reply.endsConnection { client = try nginx.client() }
        }
        #expect(try client.get("/app/whoami", ["Cookie: \(user)"]).text.contains("demo"))
        #expect(try client.get("/app/counter", ["Cookie: \(visitor)"]).text == "3\n")
    }

    @Test("is refused with 429 where new sessions are limited, but for log-ins and visitors with a session")
    func limit() throws {
        let server = try GalletaProcess(["--new-sessions", "5/1h"])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        let user = try logIn(server, client)
        let statuses = try (0..<10).map { _ in try client.get("/app/counter").status }
        #expect(statuses == [200, 200, 200, 200, 429, 429, 429, 429, 429, 429])
        #expect(try client.get("/app/counter", ["Cookie: \(user)"]).status == 200)
        #expect(server.hasLogged("new sessions are refused"))
    }

    /// A page for who has no session and gets none, from which one can log in.
    private func expectBareForm(_ reply: HTTPReply, status: Int = 200) {
        #expect(reply.status == status)
        #expect(reply["Set-Cookie"] == nil && reply["Cache-Control"] == "private, no-store")
        #expect(reply.text.contains("action=\"/app/login\"") && reply.text.contains("you can log in all the same"))
        #expect(!reply.text.contains("name=\"csrf\"") && !reply.text.contains("/app/counter"))
    }

    @Test("keeps nobody from logging in: where no session can begin, the form works by the browser's word")
    func newcomers() throws {
        let folder = try TemporaryFolder()
        for (user, option) in [("ada", "-cbB"), ("bob", "-bB")] {
            let made = try ChildProcess.run("htpasswd", [option, "-C", "4", folder.file("users"), user, user + "'s"])
            #expect(made.code == 0)
        }
        let server = try GalletaProcess(["--max-sessions", "3", "--htpasswd", folder.file("users")])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        let own = "Origin: http://localhost:\(nginx.port)"
        let logIn = { (user: String, password: String, headers: [String]) in
            try client.post("/app/login", form: [("username", user), ("password", password)], headers)
        }
        let isLoggedIn = { (cookie: String) in
            try client.get("/app/whoami", ["Cookie: \(cookie)"]).text.contains("true")
        }

        // The first one's anonymous session ends when ada needs its place; the form that came with it works still.
        let first = try #require(try client.get("/app/").cookie)
        var ada: [String] = []
        for _ in 0..<3 { ada.append(try #require(try logIn("ada", "ada's", [own]).cookie)) }
        let foreign = ["Origin: http://other.example:\(nginx.port)"]
        for headers in [[], foreign, ["Origin: null"], [own, "Sec-Fetch-Site: same-site"]] {
            let refused = try logIn("bob", "bob's", headers + ["Cookie: \(first)"])
            expectBareForm(refused, status: 403)
            #expect(refused.text.contains("value=\"bob\""))
        }
        for path in ["/app/", "/app/login"] { expectBareForm(try client.get(path)) }
        expectBareForm(try logIn("bob", "ada's", [own]), status: 401)
        let bob = try #require(try logIn("bob", "bob's", [own, "Cookie: \(first)"]).cookie)
        #expect(try isLoggedIn(bob))
        #expect(try ada.map(isLoggedIn) == [false, true, true])
        // The browser's word counts at a log-in without a session only.
        #expect(try client.post("/app/counter", form: [], [own]).status == 403)
        #expect(try client.post("/app/logout", form: [], [own, "Cookie: \(bob)"]).status == 403)
        #expect(try logIn("ada", "ada's", [own, "Cookie: \(bob)"]).status == 403)
    }

    @Test("keeps nobody of its network from logging in where new sessions are limited")
    func newcomersOfANetwork() throws {
        let server = try GalletaProcess(["--new-sessions", "1/1h"])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        #expect(try client.get("/app/counter").status == 200)
        expectBareForm(try client.get("/app/"))
        let form = [("username", "demo"), ("password", try #require(server.demoPassword))]
        let reply = try client.post("/app/login", form: form, ["Sec-Fetch-Site: same-origin"])
        #expect(reply.status == 303)
        #expect(try client.get("/app/", ["Cookie: \(try #require(reply.cookie))"]).text.contains("You are logged in."))
    }

    @Test("is refused with 503 and Retry-After when only users' sessions are left")
    func full() throws {
        let server = try GalletaProcess(["--max-sessions", "2"])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        let users = try (0..<2).map { _ in try logIn(server, client) }
        let refused = try client.get("/app/counter")
        #expect(refused.status == 503)
        #expect(refused["Retry-After"] != nil)
        #expect(refused["Set-Cookie"] == nil)
        for user in users {
            #expect(try client.get("/app/whoami", ["Cookie: \(user)"]).text.contains("demo"))
        }
    }
}
