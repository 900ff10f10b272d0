import TestSupport
import Testing

/// Pages of an old site, and what its visitors do.
enum PHPVisit {
    static let pages = [
        "login.php": "session_start(); session_regenerate_id(true); $_SESSION['user'] = $_GET['name'];",
        "show.php": """
        session_start(['read_and_close' => true]);
        echo ($_SESSION['user'] ?? 'nobody'), ' ', ($_SESSION['counter'] ?? 0);
        """,
        "count.php":
            "session_start(); $_SESSION['counter'] = ($_SESSION['counter'] ?? 0) + 1; echo $_SESSION['counter'];",
        "count-name.php": "session_start(); $_SESSION[$_GET['name']] = ($_SESSION[$_GET['name']] ?? 0) + 1;",
        "get.php": "session_start(['read_and_close' => true]); echo $_SESSION[$_GET['name']] ?? 'nothing';",
        // Holds its session until a file is there.
        "slow.php": "session_start(); while (!file_exists($_GET['until'])) { usleep(1000); clearstatcache(); }",
        // Holds its session until it is killed, and tells by whom it is held.
        "held.php": """
        session_start();
        file_put_contents($_GET['pid'] . '.tmp', getmypid());
        rename($_GET['pid'] . '.tmp', $_GET['pid']);
        while (true) usleep(1000);
        """,
        "start.php": "echo @session_start() ? 'session' : 'none';",
        // Say whether that is done.
        "enter.php":
            "session_start(); $_SESSION['user'] = $_GET['name']; echo session_write_close() ? 'in' : 'failed';",
        "leave.php": "session_start(); echo session_destroy() ? 'out' : 'failed';",
        "new-id.php": "session_start(); session_regenerate_id(true);",
        "logout.php": "session_start(); session_destroy();",
    ]

    /// The settings of php.ini that are documented for sessions in our memory.
    static func ownStore(at socket: String) -> [String] {
        [
            "session.save_handler = redis", "session.save_path = \"unix://\(socket)\"",
            "redis.session.locking_enabled = 1",
        ]
    }

    /// The cookie that an answer of PHP's or ours leaves a browser with.
    static func cookie(_ reply: FastCGIReply) throws -> String {
        let cookie = try #require(reply.all("Set-Cookie").last { $0.hasPrefix("PHPSESSID=") }, "\(reply.text)")
        return String(cookie.prefix { $0 != ";" })
    }
}

extension GalletaProcess {
    /// A visit of one of its endpoints with a cookie of PHP's.
    func visit(_ path: String, method: String = "GET", cookie: String?) throws -> FastCGIReply {
        try FastCGIClient(unix: socket).exchange(
            method, "/app" + path, cookie.map { [("HTTP_COOKIE", $0)] } ?? [])
    }
}
