import Foundation
import TestSupport
import Testing

/// Real php-fpm and the executable, on the same sessions.
@Suite("Beside PHP's pages", .enabled(if: PHPFPM.program != nil))
struct BesidePHPTests {
    private static let pages = [
        "login.php": "session_start(); session_regenerate_id(true); $_SESSION['user'] = $_GET['name'];",
        "show.php": """
        session_start(['read_and_close' => true]);
        echo ($_SESSION['user'] ?? 'nobody'), ' ', ($_SESSION['counter'] ?? 0);
        """,
        "count.php":
            "session_start(); $_SESSION['counter'] = ($_SESSION['counter'] ?? 0) + 1; echo $_SESSION['counter'];",
        "slow.php": "session_start(); while (!file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }",
        "new-id.php": "session_start(); session_regenerate_id(true);",
        "logout.php": "session_start(); session_destroy();",
    ]

    private let php: PHPFPM
    private let server: GalletaProcess

    init() throws {
        php = try PHPFPM(pages: Self.pages)
        server = try GalletaProcess([
            "--provider", "php", "--session-option", "ini=\(php.ini)", "--session-option", "userKey=user",
            // Longer than a busy machine takes for what goes on meanwhile.
            "--session-option", "lockTimeout=60000", "--no-access-log", "--workers", "4",
        ])
    }

    private func swift(_ path: String, cookie: String?) throws -> FastCGIReply {
        try FastCGIClient(unix: server.socket).exchange(
            "GET", "/app" + path, cookie.map { [("HTTP_COOKIE", $0)] } ?? [])
    }

    private func cookie(_ reply: FastCGIReply) throws -> String {
        let cookie = try #require(reply.all("Set-Cookie").last { $0.hasPrefix("PHPSESSID=") }, "\(reply.text)")
        return String(cookie.prefix { $0 != ";" })
    }

    @Test("a user who has logged in there is known here, what is counted here stands there, and a log-out ends both")
    func visitor() throws {
        let cookie = try cookie(php.get("login.php", query: "name=ada"))
        #expect(try swift("/whoami", cookie: cookie).text == #"{"authenticated":true,"user":"ada"}"#)
        #expect(try swift("/counter", cookie: cookie).text == "1\n")
        #expect(try php.get("count.php", cookie: cookie).text == "2")
        #expect(try swift("/counter", cookie: cookie).text == "3\n")
        #expect(try php.get("show.php", cookie: cookie).text == "ada 3")
        let renewed = try self.cookie(php.get("new-id.php", cookie: cookie))
        #expect(renewed != cookie)
        #expect(try swift("/counter", cookie: renewed).text == "4\n")
        #expect(try swift("/whoami", cookie: cookie).text == #"{"authenticated":false,"user":null}"#)
        _ = try php.get("logout.php", cookie: renewed)
        #expect(try swift("/whoami", cookie: renewed).text == #"{"authenticated":false,"user":null}"#)
    }

    @Test("a session that begins here is one of PHP's")
    func begunHere() throws {
        let cookie = try cookie(swift("/counter", cookie: nil))
        #expect(cookie.utf8.count == "PHPSESSID=".utf8.count + 32)
        #expect(try php.get("count.php", cookie: cookie).text == "2")
        #expect(try php.get("show.php", cookie: cookie).text == "nobody 2")
    }

    @Test("counts from both sides at once are all kept")
    func counts() throws {
        let cookie = try cookie(swift("/counter", cookie: nil))
        let threads = (8, 150)
        let failures = Cell<String>()
        DispatchQueue.concurrentPerform(iterations: threads.0) { index in
            do {
                for _ in 0..<threads.1 {
                    if index % 2 == 0 {
                        _ = try php.get("count.php", cookie: cookie)
                    } else {
                        // Two of one visitor wait for a page; others are to come again.
                        while try swift("/counter", cookie: cookie).status == 503 {}
                    }
                }
            } catch {
                failures.set("\(error)")
            }
        }
        #expect(failures.value == nil)
        #expect(try php.get("show.php", cookie: cookie).text == "nobody \(1 + threads.0 * threads.1)")
    }

    @Test("a page that takes long holds its visitor's requests, some of them, and nobody else's")
    func slowPage() throws {
        let cookie = try cookie(swift("/counter", cookie: nil))
        // The route is known to use sessions by now: its requests are parked.
        let (php, server) = (php, server)
        let isDone = Cell<Bool>()
        let gate = php.folder.file("gate")
        let slow = Thread {
            _ = try? php.get("slow.php", query: "until=\(gate)", cookie: cookie)
            isDone.set(true)
        }
        slow.start()
        let file = php.savePath + "/sess_" + cookie.dropFirst("PHPSESSID=".count)
        // Locked as soon as nobody else gets its lock.
        #expect(
            eventually {
                let fd = open(file, O_RDWR)
                defer { close(fd) }
                return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0
            })
        let clients = try (0..<6).map { _ in
            let client = try FastCGIClient(unix: server.socket)
            try client.send(FastCGIRecord.request("GET", "/app/counter", [("HTTP_COOKIE", cookie)]))
            return client
        }
        // Four workers, six who wait or are refused; all others go on.
        for _ in 0..<50 {
            #expect(try swift("/hello", cookie: nil).status == 200)
            #expect(try swift("/counter", cookie: nil).text == "1\n")
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
            ("session.save_handler = redis", "session.save_handler"),
            ("session.serialize_handler = igbinary", "serializeHandler"),
            ("session.save_path = /nonexistent", "savePath"),
        ])
    func refused(line: String, name: String) throws {
        let ini = php.folder.file("other.ini")
        try (line + "\n").write(toFile: ini, atomically: false, encoding: .utf8)
        let result = try ChildProcess.run(
            GalletaProcess.program,
            [
                "--check-config", "--listen", "unix:\(php.folder.file("x.sock"))", "--provider", "php",
                "--session-option", "ini=\(ini)",
            ])
        #expect(result.code == 78 && result.output.contains(name), "\(result.output)")
    }
}
