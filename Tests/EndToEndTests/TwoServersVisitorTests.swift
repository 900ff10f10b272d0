import Foundation
import GalletaPlatform
import TestSupport
import Testing

@Suite("A visitor of two servers with their sessions in one Redis", .serialized)
struct TwoServersVisitorTests {
    private let folder: TemporaryFolder
    private let site: TwoServersTests

    init() throws {
        folder = try TemporaryFolder()
        let made = try ChildProcess.run(
            "htpasswd", ["-cbB", "-C", "4", folder.file("users"), "ada", "engine & co"])
        #expect(made.code == 0)
        // With other tests beside it the machine may be slower than the time limit for a Redis that hangs.
        site = try TwoServersTests(options: [
            "--htpasswd", folder.file("users"), "--no-access-log", "--session-option", "timeout=5000",
        ])
    }

    @Test("20,000 parallel visits, over both, are 20,000: no number is missing, and none comes twice")
    func increments() throws {
        let (count, clients) = (20_000, 8)
        let cookie = try #require(try site.nginx.client().get("/app/counter").cookie)
        let numbers = Locked<[Int]>([])
        let complaints = Locked<[String]>([])
        let threads = try (0..<clients).map { _ in
            let nginx = site.nginx
            let first = try nginx.client()
            return try SystemThread(name: "visits") {
                var client = first
                var own: [Int] = []
                for _ in 0..<(count / clients) {
                    let reply = try? client.get("/app/counter", ["Cookie: \(cookie)"])
                    guard reply?.status == 200, let number = reply.flatMap({ Int($0.text.dropLast()) }) else {
                        complaints.withLock { $0.append("\(reply?.status ?? 0) \(reply?.text.prefix(80) ?? "")") }
                        return
                    }
                    if let last = own.last, number <= last {
                        complaints.withLock { $0.append("\(last), then \(number)") }
                    }
                    own.append(number)
                    if reply?.endsConnection == true, let next = try? nginx.client() { client = next }
                }
                let seen = own
                numbers.withLock { $0 += seen }
            }
        }
        for thread in threads { #expect(thread.join(timeout: .seconds(300))) }
        let logs = site.servers.map { $0.log.suffix(600) }.joined(separator: "\n")
        #expect(complaints.withLock { $0 }.isEmpty, "\(complaints.withLock { $0 }) \(logs)")
        let isExact = numbers.withLock { $0.sorted() } == Array(2...count + 1)
        #expect(isExact)
        #expect(try site.nginx.client().get("/app/counter", ["Cookie: \(cookie)"]).text == "\(count + 2)\n")
    }

    // MARK: Users

    /// Whether each of the two servers, asked by itself, takes the cookie's visitor for ada.
    private func isAda(_ cookie: String) throws -> [Bool] {
        try site.servers.map { server in
            try server.fastCGI().exchange("GET", "/app/whoami", [("HTTP_COOKIE", cookie)]).text.contains("ada")
        }
    }

    /// The token in the page of a visitor, and the visitor's cookie.
    private func visit(_ client: HTTPClient, _ cookie: String? = nil) throws -> (token: String, cookie: String) {
        let page = try client.get("/app/", cookie.map { ["Cookie: \($0)"] } ?? [])
        let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
            .components(separatedBy: "\"").first
        return (try #require(token), try #require(page.cookie ?? cookie))
    }

    /// Logs ada in, and shows that her old id is dead and the new one hers, at both servers.
    private func logIn(_ client: HTTPClient) throws -> String {
        let (token, old) = try visit(client)
        let form = [("username", "ada"), ("password", "engine & co"), ("csrf", token)]
        let new = try #require(try client.post("/app/login", form: form, ["Cookie: \(old)"]).cookie)
        #expect(try isAda(old) == [false, false] && isAda(new) == [true, true])
        return new
    }

    @Test("a log-in, its new id, a log-out everywhere else and a log-out count at the other server at once")
    func users() throws {
        let client = try site.nginx.client()
        let (phone, laptop) = (try logIn(client), try logIn(client))
        let (token, _) = try visit(client, laptop)
        let form = [("csrf", token)]
        #expect(try client.post("/app/sessions/end-others", form: form, ["Cookie: \(laptop)"]).status == 303)
        #expect(try isAda(phone) == [false, false] && isAda(laptop) == [true, true])
        #expect(try client.post("/app/logout", form: form, ["Cookie: \(laptop)"]).status == 303)
        #expect(try isAda(laptop) == [false, false])
    }
}
