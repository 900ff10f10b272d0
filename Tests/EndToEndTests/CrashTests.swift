import Foundation
import Glibc
import TestSupport
import Testing

/// A server that is killed at random moments, while people log in and out. GALLETA_CRASHES is how often; 30 by default.
@Suite("Crashes under log-ins and log-outs", .serialized)
struct CrashTests {
    /// Somebody who logs in again and again, and out of about half of it.
    private final class Visitor: @unchecked Sendable {
        // Safe: used by one thread at a time.
        var loggedIn: [String] = []
        var loggedOut: [String] = []
        var refusals: [String] = []
        private let client: FastCGIClient

        init(_ socket: String) throws {
            client = try FastCGIClient(unix: socket)
        }

        /// Goes on until the connection breaks, which is when the server is killed. What is under way then was not answered.
        func run() {
            while (try? visit()) != nil {}
        }

        private func visit() throws {
            let first = try page(nil)
            let form = "username=ada&password=pass&csrf=\(first.token)"
            let entered = try post("/app/login", form, first.cookie)
            // One at a time has its password checked, and the others come again.
            if entered.text.contains("Too many people are logging in") { return }
            guard entered.status == 303, let cookie = entered.sessionCookie else {
                refusals.append("\(entered.status ?? 0) \(entered.text.prefix(200))")
                throw TestFailure(description: "refused")
            }
            loggedIn.append(cookie)
            guard Bool.random() else { return }
            let token = try page(cookie).token
            // From here on it is known only by an answer.
            loggedIn.removeLast()
            let left = try post("/app/logout", "csrf=\(token)", cookie)
            if left.status == 303 { loggedOut.append(cookie) } else { refusals.append("\(left.status ?? 0)") }
        }

        private func page(_ cookie: String?) throws -> (token: String, cookie: String) {
            let page = try whole(client.exchange("GET", "/app/", cookie.map { [("HTTP_COOKIE", $0)] } ?? []))
            let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
                .components(separatedBy: "\"").first
            guard let token, let cookie = page.sessionCookie ?? cookie else {
                throw TestFailure(description: page.text)
            }
            return (token, cookie)
        }

        private func post(_ path: String, _ form: String, _ cookie: String) throws -> FastCGIReply {
            try whole(
                client.exchange(
                    "POST", path, body: Array(form.utf8),
                    [("HTTP_COOKIE", cookie), ("CONTENT_TYPE", "application/x-www-form-urlencoded")]))
        }

        private func whole(_ reply: FastCGIReply) throws -> FastCGIReply {
            guard !reply.isCut else { throw TestFailure(description: "cut") }
            return reply
        }
    }

    private static var count: Int { ProcessInfo.processInfo.environment["GALLETA_CRASHES"].flatMap(Int.init) ?? 30 }

    private let folder: TemporaryFolder
    private let socket: InheritedSocket

    init() throws {
        folder = try TemporaryFolder()
        socket = try InheritedSocket()
        let made = try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", folder.file("users"), "ada", "pass"])
        #expect(made.code == 0)
    }

    private func start() throws -> ChildProcess {
        let server = try socket.start([
            "--state", folder.file("state"), "--state-interval", "1s", "--htpasswd", folder.file("users"),
            "--sessions-per-user", "0", "--no-access-log",
        ])
        guard eventually(within: 30, { server.output.contains("listening on") }) else {
            throw TestFailure(description: "no start: \(server.output)")
        }
        return server
    }

    private func isLoggedIn(_ cookie: String, _ client: FastCGIClient) throws -> Bool {
        let reply = try client.exchange("GET", "/app/whoami", [("HTTP_COOKIE", cookie)])
        guard reply.status == 200 else { throw TestFailure(description: "\(reply.status ?? 0) \(reply.text)") }
        return reply.text.contains("\"ada\"")
    }

    @Test("no answered log-in is lost, no answered log-out is undone, and each start comes to its end")
    func kills() throws {
        var loggedIn: [String] = []
        var loggedOut: [String] = []
        var answered = (logIns: 0, logOuts: 0)
        var server = try start()
        for round in 1...Self.count {
            let visitors = try (0..<4).map { _ in try Visitor(socket.path) }
            let group = DispatchGroup()
            for visitor in visitors {
                group.enter()
                Thread {
                    visitor.run()
                    group.leave()
                }.start()
            }
            usleep(.random(in: 5_000...300_000))
            server.signal(SIGKILL)
            _ = server.exitCode()
            group.wait()
            server = try start()
            loggedIn = loggedIn.suffix(40) + visitors.flatMap(\.loggedIn)
            loggedOut = loggedOut.suffix(40) + visitors.flatMap(\.loggedOut)
            answered.logIns += visitors.reduce(0) { $0 + $1.loggedIn.count + $1.loggedOut.count }
            answered.logOuts += visitors.reduce(0) { $0 + $1.loggedOut.count }
            let client = try FastCGIClient(unix: socket.path)
            let lost = try loggedIn.count { try !isLoggedIn($0, client) }
            let undone = try loggedOut.count { try isLoggedIn($0, client) }
            #expect(lost == 0 && undone == 0, "round \(round): \(server.output)")
            #expect(visitors.flatMap(\.refusals).isEmpty)
            guard lost == 0, undone == 0 else { return }
        }
        #expect(answered.logIns > Self.count && answered.logOuts > Self.count / 2, "\(answered)")
    }
}
