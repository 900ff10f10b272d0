import Foundation
import GalletaPlatform
import TestSupport
import Testing

/// Real php-fpm and the executable, on the same sessions.
@Suite("Beside PHP's pages", .enabled(if: PHPFPM.program != nil))
struct BesidePHPTests {
    /// Where PHP keeps its sessions.
    enum Store: CaseIterable, CustomTestStringConvertible {
        case files, redis
        /// In our memory, with the three lines that are documented, and nothing else.
        case own

        var testDescription: String { "\(self)" }
    }

    /// PHP and the executable, on the same sessions.
    private struct Pair {
        let php: PHPFPM
        let server: GalletaProcess
        private let options: [String]
        private let redis: RedisServer?
        private let folder: TemporaryFolder
        private let store: Store
        /// Of our own store.
        var socket: String { folder.file("php.sock") }

        /// - Parameter lockExpiry: Seconds after which a lock of PHP's in Redis goes by itself.
        init(_ store: Store, lockExpiry: Int = 120) throws {
            self.store = store
            folder = try TemporaryFolder()
            redis = store == .redis ? try RedisServer() : nil
            var settings = redis.map {
                [
                    "session.save_handler = redis", "session.save_path = \"unix://\($0.socket)?prefix=SHOP:\"",
                    "redis.session.locking_enabled = 1", "redis.session.lock_expire = \(lockExpiry)",
                    // Until they have it.
                    "redis.session.lock_retries = -1", "redis.session.lock_wait_time = 2000",
                ]
            }
            if store == .own {
                settings = PHPVisit.ownStore(at: folder.file("php.sock"))
            }
            php = try PHPFPM(pages: PHPVisit.pages, settings: settings ?? [])
            options =
                [
                    "--provider", "php", "--session-option", "ini=\(php.ini)", "--session-option", "userKey=user",
                    // Longer than a busy machine takes for what goes on meanwhile.
                    "--session-option", "lockTimeout=60000", "--no-access-log", "--workers", "4",
                ] + (store == .own ? ["--session-option", "socket=\(folder.file("php.sock"))"] : [])
            server = try GalletaProcess(options)
        }

        /// One more process of the same.
        func anotherServer() throws -> GalletaProcess { try GalletaProcess(options) }

        func swift(_ path: String, method: String = "GET", cookie: String?) throws -> FastCGIReply {
            try server.visit(path, method: method, cookie: cookie)
        }

        /// Whether somebody has the session.
        func isLocked(_ cookie: String) -> Bool {
            let id = cookie.dropFirst("PHPSESSID=".count)
            if let redis { return (try? redis.cli("EXISTS", "SHOP:\(id)_LOCK").hasPrefix("1")) ?? false }
            if store == .own {
                return (try? RedisLine(unix: socket).ask("GET", "PHPREDIS_SESSION:\(id)_LOCK")).map { $0 != "nil" }
                    ?? false
            }
            let fd = open(php.savePath + "/sess_\(id)", O_RDWR)
            defer { close(fd) }
            return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0
        }
    }

    @Test(
        "a user who has logged in there is known here, what is counted here stands there, and a log-out ends both",
        arguments: Store.allCases)
    func visitor(store: Store) throws {
        let pair = try Pair(store)
        let cookie = try PHPVisit.cookie(pair.php.get("login.php", query: "name=ada"))
        #expect(try pair.swift("/whoami", cookie: cookie).text == #"{"authenticated":true,"user":"ada"}"#)
        #expect(try pair.swift("/counter", cookie: cookie).text == "1\n")
        #expect(try pair.php.get("count.php", cookie: cookie).text == "2")
        #expect(try pair.swift("/counter", cookie: cookie).text == "3\n")
        #expect(try pair.php.get("show.php", cookie: cookie).text == "ada 3")
        let renewed = try PHPVisit.cookie(pair.php.get("new-id.php", cookie: cookie))
        #expect(renewed != cookie)
        #expect(try pair.swift("/counter", cookie: renewed).text == "4\n")
        #expect(try pair.swift("/whoami", cookie: cookie).text == #"{"authenticated":false,"user":null}"#)
        _ = try pair.php.get("logout.php", cookie: renewed)
        #expect(try pair.swift("/whoami", cookie: renewed).text == #"{"authenticated":false,"user":null}"#)
    }

    @Test("a session that begins here is one of PHP's", arguments: Store.allCases)
    func begunHere(store: Store) throws {
        let pair = try Pair(store)
        let cookie = try PHPVisit.cookie(pair.swift("/counter", cookie: nil))
        #expect(cookie.utf8.count == "PHPSESSID=".utf8.count + 32)
        #expect(try pair.php.get("count.php", cookie: cookie).text == "2")
        #expect(try pair.php.get("show.php", cookie: cookie).text == "nobody 2")
    }

    @Test("counts from both sides at once are all kept", arguments: Store.allCases)
    func counts(store: Store) throws {
        let pair = try Pair(store)
        let cookie = try PHPVisit.cookie(pair.swift("/counter", cookie: nil))
        let threads = (8, 150)
        let failures = Cell<String>()
        DispatchQueue.concurrentPerform(iterations: threads.0) { index in
            do {
                for _ in 0..<threads.1 {
                    if index % 2 == 0 {
                        _ = try pair.php.get("count.php", cookie: cookie)
                    } else {
                        // Two of one visitor wait for a page; others are to come again.
                        while try pair.swift("/counter", cookie: cookie).status == 503 {}
                    }
                }
            } catch {
                failures.set("\(error)")
            }
        }
        #expect(failures.value == nil)
        #expect(try pair.php.get("show.php", cookie: cookie).text == "nobody \(1 + threads.0 * threads.1)")
    }

    @Test(
        "workers of PHP and servers that are killed lose no count that was answered, and leave no lock for long",
        arguments: [Store.files, .redis])
    func killed(store: Store) throws {
        let pair = try Pair(store, lockExpiry: 3)
        let cookie = try PHPVisit.cookie(pair.swift("/counter", cookie: nil))
        let server = Locked(pair.server)
        let counts = Locked((attempted: 1, answered: 1))
        let isOver = Cell<Bool>()
        let group = DispatchGroup()
        for index in 0..<4 {
            group.enter()
            let thread = Thread {
                defer { group.leave() }
                while isOver.value == nil {
                    counts.withLock { $0.attempted += 1 }
                    let reply =
                        if index % 2 == 0 {
                            try? pair.php.get("count.php", cookie: cookie)
                        } else {
                            try? server.withLock({ $0 }).visit("/counter", cookie: cookie)
                        }
                    if let reply, reply.status == 200, !reply.text.isEmpty { counts.withLock { $0.answered += 1 } }
                }
            }
            thread.start()
        }
        defer { isOver.set(true) }
        // A lock in Redis that was ours stays for 30 s.
        for round in 0..<(store == .redis ? 4 : 8) {
            let before = counts.withLock { $0.answered }
            #expect(eventually(within: 60) { counts.withLock { $0.answered } > before + 10 })
            // Any moment.
            usleep(.random(in: 0...2_000))
            if round % 2 == 0 {
                kill(try #require(pair.php.workers.randomElement()), SIGKILL)
            } else {
                let old = server.withLock { $0 }
                old.process.signal(SIGKILL)
                let new = try pair.anotherServer()
                server.withLock { $0 = new }
            }
        }
        isOver.set(true)
        group.wait()
        #expect(eventually(within: 60) { !pair.isLocked(cookie) })
        let text = try pair.php.get("show.php", cookie: cookie).text
        let (attempted, answered) = counts.withLock { $0 }
        let kept = try #require(text.split(separator: " ").last.flatMap { Int($0) }, "\(text)")
        #expect(answered <= kept && kept <= attempted, "\(answered) \(kept) \(attempted)")
    }

    @Test(
        "a page that takes long holds its visitor's requests, some of them, and nobody else's",
        arguments: Store.allCases)
    func slowPage(store: Store) throws {
        let pair = try Pair(store)
        let cookie = try PHPVisit.cookie(pair.swift("/counter", cookie: nil))
        // The route is known to use sessions by now: its requests are parked.
        let (php, server) = (pair.php, pair.server)
        let isDone = Cell<Bool>()
        let gate = php.folder.file("gate")
        let slow = Thread {
            _ = try? pair.php.get("slow.php", query: "until=\(gate)", cookie: cookie)
            isDone.set(true)
        }
        slow.start()
        #expect(eventually { pair.isLocked(cookie) })
        let clients = try (0..<6).map { _ in
            let client = try FastCGIClient(unix: server.socket)
            try client.send(FastCGIRecord.request("GET", "/app/counter", [("HTTP_COOKIE", cookie)]))
            return client
        }
        // Four workers, six who wait or are refused; all others go on.
        for _ in 0..<50 {
            #expect(try pair.swift("/hello", cookie: nil).status == 200)
            #expect(try pair.swift("/counter", cookie: nil).text == "1\n")
        }
        #expect(isDone.value == nil)
        try "".write(toFile: gate, atomically: false, encoding: .utf8)
        let statuses = try clients.map { try $0.reply().status }
        #expect(statuses.filter { $0 == 200 }.count >= 1 && statuses.allSatisfy { $0 == 200 || $0 == 503 })
        #expect(eventually { isDone.value == true })
    }

    @Test(
        "settings of PHP that do not fit are refused at the start, with what to do",
        arguments: [
            ("session.save_handler = memcached", "session.save_handler"),
            ("session.save_handler = redis\nsession.save_path = \"tcp://a:1,tcp://b:1\"", "session.save_path"),
            ("session.save_handler = redis\nsession.save_path = \"unix:///nonexistent\"", "savePath"),
            (
                "session.save_handler = redis\nredis.session.locking_enabled = 1\nmax_execution_time = 0",
                "redis.session.lock_expire"
            ),
            ("session.serialize_handler = igbinary", "serializeHandler"),
            ("session.save_path = /nonexistent", "savePath"),
        ])
    func refused(line: String, name: String) throws {
        let result = try checkConfig(line)
        #expect(result.code == 78 && result.output.contains(name), "\(result.output)")
    }

    @Test("that PHP's pages take no locks in Redis is told at the start")
    func withoutLocks() throws {
        let redis = try RedisServer()
        let lines = "session.save_handler = redis\nsession.save_path = \"unix://\(redis.socket)\""
        let warned = try checkConfig(lines)
        #expect(warned.code == 0 && warned.output.contains("redis.session.locking_enabled"), "\(warned.output)")
        let fine = try checkConfig(lines + "\nredis.session.locking_enabled = 1")
        #expect(fine.code == 0 && !fine.output.contains("redis.session.locking_enabled"), "\(fine.output)")
    }

    /// What `--check-config` says of a php.ini.
    private func checkConfig(_ ini: String) throws -> (code: Int32, output: String) {
        let folder = try TemporaryFolder()
        try (ini + "\n").write(toFile: folder.file("php.ini"), atomically: false, encoding: .utf8)
        return try ChildProcess.run(
            GalletaProcess.program,
            [
                "--check-config", "--listen", "unix:\(folder.file("x.sock"))", "--provider", "php",
                "--session-option", "ini=\(folder.file("php.ini"))",
            ])
    }
}
