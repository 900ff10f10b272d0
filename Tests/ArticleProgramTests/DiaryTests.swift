import Foundation
import GalletaCommand
import GalletaTesting
import Passwords
import Testing

@testable import LogInProgram

@Suite("The diary")
struct DiaryTests {
    private let app: Application

    init() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        var configuration = Passwords.Configuration()
        configuration.algorithm = .bcrypt(cost: 4)  // quick, for tests only
        let hash = try Passwords(configuration: configuration).hash("engine")
        try Data("ada:\(hash.text)\n".utf8).write(to: file)
        app = try Diary.parse(["--users", file.path, "--mount", "/"]).application()
    }

    private func logIn(_ client: TestClient, password: String, next: String = "") throws -> TestReply {
        try client.post(
            "/login", form: ["csrf": client.csrfToken(), "name": "ada", "password": password, "next": next])
    }

    @Test("sends a visitor to the log-in, and back to the page that was wanted")
    func wanted() throws {
        try app.test { client in
            #expect(try client.get("/").headers[.location] == "/diary")
            let refused = try client.get("/diary", headers: [.accept: "text/html"])
            #expect(refused.headers[.location] == "/login?next=%2Fdiary")
            let page = try client.follow(logIn(client, password: "engine", next: "/diary")).text
            #expect(page.contains("The diary of ada"))
        }
    }

    @Test("gives the session a new id at the log-in, and ends it at the log-out")
    func session() throws {
        try app.test { client in
            _ = try client.get("/login")
            let before = client.cookie("sid")
            #expect(try logIn(client, password: "engine").status == .seeOther)
            #expect(client.cookie("sid") != before)
            #expect(try client.post("/logout", form: ["csrf": client.csrfToken()]).status == .seeOther)
            #expect(try client.get("/diary").status == .unauthorized)
        }
    }

    @Test("sends nobody to another site", arguments: ["https://evil.example/", "//evil.example/"])
    func foreign(next: String) throws {
        try app.test { client throws in
            #expect(try logIn(client, password: "engine", next: next).headers[.location] == "/diary")
        }
    }

    @Test("refuses wrong passwords, and after ten of them all")
    func guesses() throws {
        try app.test { client throws in
            for _ in 1...10 { #expect(try logIn(client, password: "x").status == .unauthorized) }
            #expect(try logIn(client, password: "engine").status == .tooManyRequests)
        }
    }
}
