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
