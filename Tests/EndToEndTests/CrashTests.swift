import Foundation
import Glibc
import TestSupport
import Testing

/// A server that is killed at random moments, while people log in and out. GALLETA_CRASHES is how often; 30 by default.
@Suite("Crashes under log-ins and log-outs", .serialized)
struct CrashTests {
    /// Somebody who logs in again and again, and out of some of it, or everywhere else.
    private final class Visitor: @unchecked Sendable {
        // Safe: used by one thread at a time.
        private let user: String
        var loggedIn: [String] = []
        var loggedOut: [String] = []
        var refusals: [String] = []
        var answers = (logIns: 0, logOuts: 0)
        private var client: FastCGIClient?

        init(_ user: String) {
            self.user = user
        }

        func connect(_ socket: String) throws {
            client = try FastCGIClient(unix: socket)
            // Enough to look at after each crash.
            loggedIn = loggedIn.suffix(20)
            loggedOut = loggedOut.suffix(20)
        }

        /// Goes on until the connection breaks, which is when the server is killed. What is under way then was not answered.
        func run() {
            while (try? visit()) != nil {}
        }

        private func visit() throws {
            let first = try page(nil)
            let form = "username=\(user)&password=pass&csrf=\(first.token)"
            let entered = try post("/app/login", form, first.cookie)
            // One at a time has its password checked, and the others come again.
            if entered.text.contains("Too many people are logging in") { return }
            guard entered.status == 303, let cookie = entered.sessionCookie else {
                refusals.append("\(entered.status ?? 0) \(entered.text.prefix(200))")
                throw TestFailure(description: "refused")
            }
            answers.logIns += 1
            loggedIn.append(cookie)
            switch Int.random(in: 0..<8) {
            case 0..<3:
                try end("/app/logout", [cookie], by: cookie)
            case 3:
                try end("/app/sessions/end-others", loggedIn.filter { $0 != cookie }, by: cookie)
            default:
                break
            }
        }

        private func end(_ path: String, _ ended: [String], by cookie: String) throws {
            let token = try page(cookie).token
            // From here on it is known only by an answer.
            loggedIn.removeAll { ended.contains($0) }
            let reply = try post(path, "csrf=\(token)", cookie)
            guard reply.status == 303 else { return refusals.append("\(reply.status ?? 0) \(reply.text.prefix(200))") }
            loggedOut += ended
            answers.logOuts += ended.count
        }

        private func page(_ cookie: String?) throws -> (token: String, cookie: String) {
            let page = try whole(connected().exchange("GET", "/app/", cookie.map { [("HTTP_COOKIE", $0)] } ?? []))
            let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
                .components(separatedBy: "\"").first
            guard let token, let cookie = page.sessionCookie ?? cookie else {
                throw TestFailure(description: page.text)
            }
            return (token, cookie)
        }

        private func post(_ path: String, _ form: String, _ cookie: String) throws -> FastCGIReply {
            try whole(
                connected().exchange(
                    "POST", path, body: Array(form.utf8),
                    [("HTTP_COOKIE", cookie), ("CONTENT_TYPE", "application/x-www-form-urlencoded")]))
        }

        private func connected() throws -> FastCGIClient {
            guard let client else { throw TestFailure(description: "not connected") }
            return client
        }

        private func whole(_ reply: FastCGIReply) throws -> FastCGIReply {
            guard !reply.isCut else { throw TestFailure(description: "cut") }
            return reply
        }
    }

    private static var count: Int { ProcessInfo.processInfo.environment["GALLETA_CRASHES"].flatMap(Int.init) ?? 30 }

    private static let users = ["ada", "bob", "eve", "kim"]

    private let folder: TemporaryFolder
    private let socket: InheritedSocket

    init() throws {
        folder = try TemporaryFolder()
        socket = try InheritedSocket()
        for (index, user) in Self.users.enumerated() {
            let flags = index == 0 ? "-cbB" : "-bB"
            #expect(try ChildProcess.run("htpasswd", [flags, "-C", "4", folder.file("users"), user, "pass"]).code == 0)
        }
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
        return reply.text.contains("\"authenticated\":true")
    }

    @Test("no answered log-in is lost, no answered log-out is undone, and each start comes to its end")
    func kills() throws {
        let visitors = Self.users.map { Visitor($0) }
        var server = try start()
        for round in 1...Self.count {
            for visitor in visitors { try visitor.connect(socket.path) }
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
            let client = try FastCGIClient(unix: socket.path)
            let lost = try visitors.flatMap(\.loggedIn).count { try !isLoggedIn($0, client) }
            let undone = try visitors.flatMap(\.loggedOut).count { try isLoggedIn($0, client) }
            #expect(lost == 0 && undone == 0, "round \(round): \(server.output)")
            #expect(visitors.flatMap(\.refusals).isEmpty)
            guard lost == 0, undone == 0 else { return }
        }
        let logIns = visitors.reduce(0) { $0 + $1.answers.logIns }
        let logOuts = visitors.reduce(0) { $0 + $1.answers.logOuts }
        #expect(logIns > Self.count && logOuts > Self.count / 2, "\(logIns) log-ins, \(logOuts) log-outs")
        print("\(Self.count) crashes, \(logIns) log-ins and \(logOuts) log-outs answered")
    }
}
