import Foundation
import GalletaPlatform
import TestSupport
import Testing

/// Real php-fpm with php-redis and its default settings, and the executable, which has PHP's sessions in its memory.
@Suite("PHP's sessions in our memory", .enabled(if: PHPFPM.program != nil))
struct PHPInMemoryTests {
    private let folder: TemporaryFolder
    private var socket: String { folder.file("php.sock") }

    init() throws {
        folder = try TemporaryFolder()
    }

    /// PHP with the three lines that are documented, and nothing else.
    private func php(_ lines: [String] = []) throws -> PHPFPM {
        try PHPFPM(
            pages: PHPVisit.pages, settings: PHPVisit.ownStore(at: socket) + lines)
    }

    private func server(_ php: PHPFPM, _ options: [String] = []) throws -> GalletaProcess {
        try GalletaProcess(
            [
                "--provider", "php", "--session-option", "ini=\(php.ini)", "--session-option", "socket=\(socket)",
                "--session-option", "userKey=user", "--session-option", "lockTimeout=60000", "--no-access-log",
                "--workers", "4",
            ] + options)
    }

    @Test("log-in, log-out and log-out everywhere on our side are PHP's")
    func bothWays() throws {
        let made = try ChildProcess.run("htpasswd", ["-cbB", folder.file("users"), "ada", "engine & co"])
        #expect(made.code == 0)
        let php = try php()
        let server = try server(php, ["--htpasswd", folder.file("users")])
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        func visit(_ cookie: String?) throws -> (token: String, cookie: String) {
            let page = try client.get("/app/", cookie.map { ["Cookie: \($0)"] } ?? [])
            let token = page.text.components(separatedBy: "name=\"csrf\" value=\"").dropFirst().first?
                .components(separatedBy: "\"").first
            return (try #require(token), try #require(page.cookie ?? cookie))
        }
        let others = try (0..<2).map { _ in try PHPVisit.cookie(php.get("login.php", query: "name=ada")) }
        let stranger = try PHPVisit.cookie(php.get("login.php", query: "name=bob"))
        let (token, guest) = try visit(nil)
        #expect(try php.get("count.php", cookie: guest).text == "1")
        let reply = try client.post(
            "/app/login", form: [("username", "ada"), ("password", "engine & co"), ("csrf", token)],
            ["Cookie: \(guest)"])
        let own = try #require(reply.cookie)
        #expect(own != guest)
        #expect(try php.get("show.php", cookie: own).text == "ada 1")
        #expect(try php.get("show.php", cookie: guest).text == "nobody 0")
        #expect(
            try client.get("/app/", ["Cookie: \(own)"]).text.components(separatedBy: "/app/sessions/end\"").count == 3)
        let next = try visit(own).token
        #expect(try client.post("/app/sessions/end-others", form: [("csrf", next)], ["Cookie: \(own)"]).status == 303)
        for other in others { #expect(try php.get("show.php", cookie: other).text == "nobody 0") }
        #expect(try php.get("show.php", cookie: stranger).text == "bob 0")
        #expect(try php.get("show.php", cookie: own).text == "ada 1")
        let last = try visit(own).token
        #expect(try client.post("/app/logout", form: [("csrf", last)], ["Cookie: \(own)"]).status == 303)
        #expect(try php.get("show.php", cookie: own).text == "nobody 0")
    }

    @Test("counts of twelve pages and ours at once are all kept, at PHP's own patience")
    func counts() throws {
        let php = try php()
        let server = try server(php)
        let cookie = try PHPVisit.cookie(server.visit("/counter", cookie: nil))
        let failures = Cell<String>()
        DispatchQueue.concurrentPerform(iterations: 12) { index in
            do {
                for number in 0..<250 {
                    if (index + number) % 3 != 0 {
                        let text = try php.get("count.php", cookie: cookie).text
                        if Int(text) == nil { failures.set(text) }
                    } else {
                        // Two of one visitor wait for a page; others are to come again.
                        while try server.visit("/counter", cookie: cookie).status == 503 {}
                    }
                }
            } catch {
                failures.set("\(error)")
            }
        }
        #expect(failures.value == nil)
        #expect(try php.get("show.php", cookie: cookie).text == "nobody 3001")
    }

    @Test("pages that take no locks lose no change under a name of its own")
    func withoutLocks() throws {
        let php = try php(["redis.session.locking_enabled = 0"])
        let server = try server(php)
        let cookie = try PHPVisit.cookie(server.visit("/counter", cookie: nil))
        DispatchQueue.concurrentPerform(iterations: 6) { index in
            for _ in 0..<100 {
                if index == 0 {
                    _ = try? server.visit("/counter", cookie: cookie)
                } else {
                    _ = try? php.get("count-name.php", query: "name=n\(index)", cookie: cookie)
                }
            }
        }
        for index in 1..<6 { #expect(try php.get("get.php", query: "name=n\(index)", cookie: cookie).text == "100") }
        #expect(try php.get("get.php", query: "name=counter", cookie: cookie).text == "101")
    }

    @Test("a worker of PHP that is killed with a session lets its visitor go on at once")
    func killedWorker() throws {
        let php = try php()
        let server = try server(php)
        let cookie = try PHPVisit.cookie(server.visit("/counter", cookie: nil))
        let file = folder.file("pid")
        let held = Thread { _ = try? php.get("held.php", query: "pid=\(file)", cookie: cookie) }
        held.start()
        #expect(eventually { FileManager.default.fileExists(atPath: file) })
        let pid = try #require(Int32(folder.read("pid")))
        let isDone = Cell<String>()
        let waiting = Thread { isDone.set((try? php.get("count.php", cookie: cookie).text) ?? "") }
        waiting.start()
        kill(pid, SIGKILL)
        #expect(eventually { isDone.value == "2" })
        #expect(try server.visit("/counter", cookie: cookie).text == "3\n")
    }

    @Test("a restart with a state file loses nothing; meanwhile PHP's pages have no session, and say so")
    func restart() throws {
        let php = try php()
        let options = ["--state", folder.file("state")]
        let cookie: String
        do {
            let server = try server(php, options)
            cookie = try PHPVisit.cookie(php.get("login.php", query: "name=ada"))
            #expect(try server.visit("/counter", cookie: cookie).text == "1\n")
            // A second one would know nothing of these sessions.
            let second = try ChildProcess.run(
                GalletaProcess.program,
                [
                    "--listen", "unix:\(folder.file("x.sock"))", "--provider", "php", "--session-option",
                    "ini=\(php.ini)",
                    "--session-option", "socket=\(socket)",
                ])
            #expect(second.code != 0 && second.output.contains("socket"), "\(second.output)")
            server.process.stop()
        }
        let meanwhile = try php.get("start.php", cookie: cookie)
        #expect(meanwhile.text.hasSuffix("none"), "\(meanwhile.text)")
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file("state"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let id = cookie.dropFirst("PHPSESSID=".count)
        #expect(FileManager.default.contents(atPath: folder.file("state"))?.range(of: Data(id.utf8)) == nil)
        let server = try server(php, options)
        #expect(try php.get("show.php", cookie: cookie).text == "ada 1")
        #expect(try server.visit("/counter", cookie: cookie).text == "2\n")
        #expect(try server.visit("/whoami", cookie: cookie).text == #"{"authenticated":true,"user":"ada"}"#)
    }

    @Test("log-ins and log-outs of PHP's pages outlive a server that is killed at any moment")
    func kills() throws {
        /// Somebody who logs in on one page and out on another, again and again.
        struct Visitor {
            var loggedIn: [String] = []
            var loggedOut: [String] = []

            /// Goes on until a page says that it has failed: the server is not there.
            mutating func run(_ php: PHPFPM) {
                while let reply = try? php.get("enter.php", query: "name=ada"), reply.text == "in",
                    let cookie = try? PHPVisit.cookie(reply)
                {
                    loggedIn.append(cookie)
                    guard Bool.random() else { continue }
                    // From here on it is known only by an answer.
                    loggedIn.removeLast()
                    guard let text = try? php.get("leave.php", cookie: cookie).text, text == "out" else { return }
                    loggedOut.append(cookie)
                }
            }
        }
        let php = try php()
        let options = ["--state", folder.file("state"), "--state-interval", "1s"]
        var server = try server(php, options)
        let visitors = Locked((0..<4).map { _ in Visitor() })
        var promised = 0
        // Ten times; so often by hand.
        let count = ProcessInfo.processInfo.environment["GALLETA_CRASHES"].flatMap(Int.init) ?? 10
        for round in 0..<count {
            let group = DispatchGroup()
            for index in 0..<4 {
                group.enter()
                Thread {
                    var visitor = Visitor()
                    visitor.run(php)
                    visitors.withLock { [visitor] in $0[index] = visitor }
                    group.leave()
                }.start()
            }
            usleep(.random(in: 5_000...200_000))
            server.process.signal(SIGKILL)
            _ = server.process.exitCode()
            group.wait()
            server = try self.server(php, options)
            for visitor in visitors.withLock({ $0 }) {
                promised += visitor.loggedIn.count + visitor.loggedOut.count
                for cookie in visitor.loggedIn { #expect(try php.get("show.php", cookie: cookie).text == "ada 0") }
                for cookie in visitor.loggedOut { #expect(try php.get("show.php", cookie: cookie).text == "nobody 0") }
            }
            #expect(server.log.contains("restored"), "round \(round): \(server.log)")
        }
        #expect(promised > 2 * count, "\(promised)")
        print("\(count) crashes, \(promised) log-ins and log-outs answered")
    }

    @Test("where a service manager holds the socket pages wait for the next start, and lose nothing")
    func heldSocket() throws {
        let fd = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(fd) }
        try #require(InheritedSocket.bind(fd, to: socket) && listen(fd, 100) == 0)
        let php = try php()
        func start(_ path: String, _ options: [String]) throws -> ChildProcess {
            try ChildProcess(
                "bash",
                [
                    "-c", "export LISTEN_PID=$$; exec \"$@\"", "bash", GalletaProcess.program, "--listen",
                    "unix:\(folder.file("s.sock"))", "--provider", "php", "--session-option", "socket=\(path)",
                    "--state",
                    folder.file("state"),
                ] + options, log: folder.file("log-\(UUID().uuidString)"),
                environment: ["LISTEN_FDS": "1", "LISTEN_FDNAMES": "session-store"], descriptors: [fd])
        }
        let first = try start(socket, ["--session-option", "ini=\(php.ini)"])
        #expect(try RedisLine(unix: socket).ask("PING") == "+PONG", "\(first.output)")
        let cookie = try PHPVisit.cookie(php.get("count.php"))
        // It ends at once, and saves nothing, where it has not come to its own socket yet.
        #expect(eventually { first.output.contains("listening on") }, "\(first.output)")
        first.stop()
        let text = Cell<String>()
        let page = Thread { text.set((try? php.get("count.php", cookie: cookie).text) ?? "") }
        page.start()
        // It is at the socket, where nobody is.
        var waiting = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 30_000) == 1)
        #expect(text.value == nil)
        let second = try start(socket, ["--session-option", "ini=\(php.ini)"])
        #expect(eventually { text.value == "2" }, "\(text.value ?? "nothing"), \(second.output)")
        second.stop()
        // It is not this process's to remove.
        #expect(FileManager.default.fileExists(atPath: socket))
        // PHP would wait for ever at a socket that nobody serves.
        let other = try start(folder.file("other.sock"), [])
        #expect(other.exitCode(within: 20) == 78)
        #expect(other.output.contains("ListenStream="), "\(other.output)")
    }

    @Test("a site goes back to files, and its visitors stay logged in")
    func backToFiles() throws {
        let old = try php()
        let server = try server(old)
        let cookie = try PHPVisit.cookie(old.get("login.php", query: "name=ada"))
        #expect(try server.visit("/counter", cookie: cookie).text == "1\n")
        let script =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path + "/deploy/php/back-to-files.php"
        let new = try PHPFPM(
            pages: PHPVisit.pages, settings: ["auto_prepend_file = \"\(script)\""],
            environment: ["GALLETA_PHP_SOCKET": socket])
        #expect(try new.get("show.php", cookie: cookie).text == "ada 1")
        #expect(try new.get("count.php", cookie: cookie).text == "2")
        // It is in one place only.
        #expect(try server.visit("/whoami", cookie: cookie).text == #"{"authenticated":false,"user":null}"#)
        let beside = try GalletaProcess([
            "--provider", "php", "--session-option", "ini=\(new.ini)", "--session-option", "userKey=user",
        ])
        #expect(try beside.visit("/counter", cookie: cookie).text == "3\n")
        // Others, and those who have none, are nobody.
        #expect(try new.get("show.php", cookie: "PHPSESSID=nobodysid0123456789abcdef").text == "nobody 0")
        #expect(try new.get("show.php", cookie: "PHPSESSID=../../etc/passwd").text == "nobody 0")
        server.process.stop()
        #expect(try new.get("show.php", cookie: cookie).text == "ada 3")
        #expect(try new.get("show.php", cookie: "PHPSESSID=nobodysid0123456789abcdef").text == "nobody 0")
    }

    @Test(
        "settings of PHP that do not name the socket are refused at the start, with what to do",
        arguments: [
            ("session.save_handler = files", [], "session.save_handler"),
            ("session.save_handler = redis\nsession.save_path = \"unix:///run/other.sock\"", [], "session.save_path"),
            ("session.save_handler = redis\nsession.save_path = \"tcp://127.0.0.1:6379\"", [], "session.save_path"),
            ("session.save_handler = redis\nsession.save_path = \"unix://SOCKET?database=2\"", [], "database="),
            ("session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"", ["socketMode=999"], "socketMode"),
            ("session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"", ["socketAllow=x"], "socketAllow"),
            (
                "session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"", ["maximumSessions=0"],
                "max-sessions"
            ),
            ("session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"", ["state=/nonexistent/x"], "state"),
            (
                "session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"", ["maximumConnections=0"],
                "maximumConnections"
            ),
            ("session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"", ["lockPatience=0"], "lockPatience"),
        ] as [(String, [String], String)])
    func refused(ini: String, options: [String], name: String) throws {
        let result = try checkConfig(ini, options)
        #expect(result.code == 78 && result.output.contains(name), "\(result.output)")
    }

    @Test("settings that fit are fine, also without an expiry of locks; a page that is killed leaves none")
    func accepted() throws {
        let ini = "session.save_handler = redis\nsession.save_path = \"unix://SOCKET\"\nmax_execution_time = 0\n"
        let warned = try checkConfig(ini, [])
        #expect(warned.code == 0 && warned.output.contains("redis.session.locking_enabled"), "\(warned.output)")
        let fine = try checkConfig(ini + "redis.session.locking_enabled = 1", ["socketMode=600"])
        #expect(fine.code == 0 && !fine.output.contains("redis.session.locking_enabled"), "\(fine.output)")
        #expect(!FileManager.default.fileExists(atPath: socket))
    }

    /// What `--check-config` says of a php.ini.
    private func checkConfig(_ ini: String, _ options: [String]) throws -> (code: Int32, output: String) {
        try (ini.replacingOccurrences(of: "SOCKET", with: socket) + "\n").write(
            toFile: folder.file("php.ini"), atomically: false, encoding: .utf8)
        return try ChildProcess.run(
            GalletaProcess.program,
            [
                "--check-config", "--listen", "unix:\(folder.file("x.sock"))", "--provider", "php",
                "--session-option", "ini=\(folder.file("php.ini"))", "--session-option", "socket=\(socket)",
            ] + options.flatMap { ["--session-option", $0] })
    }
}
