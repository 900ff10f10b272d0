import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Sessions over a restart, with --state", .serialized)
struct StateFileTests {
    /// Visitors who are logged in as ada, each with a counter, and go on visiting until told to stop.
    private final class Visitors: Sendable {
        private let lock = NSLock()
        private nonisolated(unsafe) var isOver = false
        private nonisolated(unsafe) var wrong: [String] = []
        private nonisolated(unsafe) var visits = 0
        private let group = DispatchGroup()

        init(_ nginx: Nginx, cookies: [String]) {
            for cookie in cookies {
                group.enter()
                Thread { [self] in
                    defer { group.leave() }
                    do {
                        try visit(nginx, cookie)
                    } catch {
                        lock.withLock { wrong.append("\(error)") }
                    }
                }.start()
            }
        }

        private func visit(_ nginx: Nginx, _ cookie: String) throws {
            var client = try nginx.client()
            var last = 0
            while !lock.withLock({ isOver }) {
                let who = try client.get("/app/whoami", ["Cookie: \(cookie)"])
                if who.endsConnection { client = try nginx.client() }
                let counter = try client.get("/app/counter", ["Cookie: \(cookie)"])
                if counter.endsConnection { client = try nginx.client() }
                last += 1
                guard who.text == #"{"authenticated":true,"user":"ada"}"#, counter.text == "\(last)\n" else {
                    return lock.withLock { wrong.append("\(who.text) \(counter.status) \(counter.text) for \(last)") }
                }
                lock.withLock { visits += 1 }
            }
        }

        var count: Int { lock.withLock { visits } }

        func finish() -> [String] {
            lock.withLock { isOver = true }
            group.wait()
            return lock.withLock { wrong }
        }
    }

    private let folder: TemporaryFolder
    private let socket: InheritedSocket
    private let nginx: Nginx
    private var state: String { folder.file("sessions.state") }

    init() throws {
        folder = try TemporaryFolder()
        socket = try InheritedSocket()
        nginx = try Nginx(socket: socket.path)
        let made = try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", folder.file("users"), "ada", "pass"])
        #expect(made.code == 0)
    }

    private func start(_ options: [String] = []) throws -> ChildProcess {
        let server = try socket.start(["--state", state, "--htpasswd", folder.file("users")] + options)
        guard eventually(within: 30, { server.output.contains("listening on") }) else {
            throw TestFailure(description: server.output)
        }
        return server
    }

    /// A visitor's cookie after log-in.
    private func logIn() throws -> String {
        let client = try nginx.client()
        let page = try client.get("/app/")
        let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
            .components(separatedBy: "\"").first
        let form = [("username", "ada"), ("password", "pass"), ("csrf", try #require(token))]
        let reply = try client.post("/app/login", form: form, ["Cookie: \(try #require(page.cookie))"])
        return try #require(reply.cookie)
    }

    private func user(_ cookie: String) throws -> String {
        try nginx.client().get("/app/whoami", ["Cookie: \(cookie)"]).text
    }

    @Test("under load no visitor loses the session nor a count")
    func restartUnderLoad() throws {
        var server = try start()
        let cookies = try (0..<8).map { _ in try logIn() }
        let visitors = Visitors(nginx, cookies: cookies)
        for _ in 0..<3 {
            let before = visitors.count
            #expect(eventually(within: 20) { visitors.count > before + 200 })
            server.signal(SIGTERM)
            #expect(server.exitCode() == 0)
            server = try start()
        }
        let before = visitors.count
        #expect(eventually(within: 20) { visitors.count > before + 200 })
        let wrong = visitors.finish()
        #expect(wrong.isEmpty, "\(wrong) \(server.output)")
        let mode = try FileManager.default.attributesOfItem(atPath: state)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: state))
        for cookie in cookies {
            #expect(bytes.range(of: Data(cookie.dropFirst(4).utf8)) == nil)
        }
    }

    @Test("kill -9 loses at most what came after the last interval")
    func kill() throws {
        let server = try start(["--state-interval", "1s"])
        let cookie = try logIn()
        let client = try nginx.client()
        // Written at least once from beginning to end after the log-in.
        let first = inode
        #expect(eventually(within: 20) { inode != first })
        let second = inode
        #expect(eventually(within: 20) { inode != second })
        server.signal(SIGKILL)
        #expect(server.exitCode() == 128 + SIGKILL || server.exitCode() != 0)
        let next = try start()
        #expect(try client.get("/app/whoami", ["Cookie: \(cookie)"]).text.contains("ada"))
        #expect(next.output.contains("restored"))
    }

    private var inode: UInt64? {
        var status = stat()
        return stat(state, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    @Test("a snapshot with a flipped byte restores all other sessions")
    func flippedByte() throws {
        let first = try start()
        let cookies = try (0..<10).map { _ in try logIn() }
        first.signal(SIGTERM)
        #expect(first.exitCode() == 0)
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: state)))
        bytes[bytes.count / 2] ^= 0x10
        try Data(bytes).write(to: URL(fileURLWithPath: state))
        let second = try start()
        let kept = try cookies.filter { try user($0).contains("ada") }
        #expect(kept.count == 9, "\(second.output)")
    }

    @Test(
        "a path that can never be written is refused at the start, with the remedy",
        arguments: ["/proc/self/sessions", "/nonexistent/sessions", "/tmp"])
    func unwritable(path: String) throws {
        let server = try socket.start(["--state", path])
        #expect(server.exitCode() == 78)
        #expect(server.output.contains("galleta-server: --state: sessions cannot be kept in \(path)"))
    }

    @Test(
        "on a disk that is full a log-out is carried out and answered with 500, and nobody is logged in, until there is room"
    )
    func fullJournal() throws {
        // The limit would be the log's, too, were it a file.
        let log = LogPipe(holding: 65_536)
        let server = try ChildProcess(
            GalletaProcess.program,
            ["--workers", "2", "--state", state, "--no-access-log", "--htpasswd", folder.file("users")],
            log: folder.file("log"), input: socket.fd, errors: log.writing)
        #expect(!log.lines { lines in lines.contains { $0.contains("listening on") } }.isEmpty)
        let cookie = try logIn()
        func form(_ cookie: String?) throws -> (token: String, cookie: String) {
            let page = try nginx.client().get("/app/", cookie.map { ["Cookie: \($0)"] } ?? [])
            let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
                .components(separatedBy: "\"").first
            return (try #require(token), try #require(page.cookie ?? cookie))
        }
        let leaving = try form(cookie)
        // A limit on the size of files stands for the disk's end.
        #expect(try ChildProcess.run("prlimit", ["--pid", "\(server.pid)", "--fsize=200:unlimited"]).code == 0)
        let out = try nginx.client().post("/app/logout", form: [("csrf", leaving.token)], ["Cookie: \(cookie)"])
        #expect(out.status == 500)
        #expect(out["Set-Cookie"]?.contains("Max-Age=0") == true)
        #expect(try user(cookie).contains("false"))
        func enter() throws -> HTTPReply {
            let page = try form(nil)
            return try nginx.client().post(
                "/app/login", form: [("username", "ada"), ("password", "pass"), ("csrf", page.token)],
                ["Cookie: \(page.cookie)"])
        }
        let refused = try enter()
        #expect(refused.status == 503 && refused["Retry-After"] != nil)
        #expect(try refused.cookie.map { try user($0).contains("false") } ?? true)
        let lines = log.lines { lines in lines.contains { $0.contains("log-ins are refused") } }
        #expect(lines.contains { $0.contains("File too large") && $0.contains("ulimit -f") }, "\(lines)")
        #expect(try ChildProcess.run("prlimit", ["--pid", "\(server.pid)", "--fsize=unlimited"]).code == 0)
        // By itself, within seconds.
        #expect(try eventually(within: 40) { try enter().status == 303 })
        server.signal(SIGKILL)
        _ = server.exitCode()
        let next = try start()
        #expect(try user(cookie).contains("false"), "\(next.output)")
    }

    @Test("a disk that is full is reported, the old snapshot stays, the server serves on, and tries again")
    func full() throws {
        let first = try start()
        let cookie = try logIn()
        first.signal(SIGTERM)
        #expect(first.exitCode() == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: state))
        // A limit on the size of files stands for the disk's end.
        let command = "ulimit -S -f 1; exec \"$@\""
        let log = folder.file("log")
        let second = try ChildProcess(
            "bash",
            [
                "-c", command, "bash", GalletaProcess.program, "--workers", "2", "--state", state, "--state-interval",
                "1s", "--no-access-log", "--htpasswd", folder.file("users"),
            ], log: log, input: socket.fd)
        #expect(eventually(within: 30) { second.output.contains("listening on") })
        let client = try nginx.client()
        for _ in 0..<40 { _ = try client.get("/app/counter") }
        #expect(eventually(within: 20) { second.output.contains("File too large") }, "\(second.output)")
        #expect(second.output.contains(state) && second.output.contains("ulimit -f"))
        #expect(try user(cookie).contains("ada"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: state)) == before)
        // Room again: the next interval's snapshot is a whole one.
        let lifted = try ChildProcess.run("prlimit", ["--pid", "\(second.pid)", "--fsize=unlimited"])
        #expect(lifted.code == 0, "\(lifted.output)")
        #expect(eventually(within: 20) { (try? Data(contentsOf: URL(fileURLWithPath: state))) != before })
        second.signal(SIGTERM)
        #expect(second.exitCode() == 0)
        #expect(!FileManager.default.fileExists(atPath: state + ".tmp"))
    }
}
