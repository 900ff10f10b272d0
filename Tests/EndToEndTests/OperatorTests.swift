import Foundation
import Glibc
import TestSupport
import Testing

/// What an operator does with a running server: asks it, has it do things, moves its log away.
@Suite("An operator")
struct OperatorTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private var control: String { folder.file("control.sock") }

    private func start(_ options: [String] = []) throws -> GalletaProcess {
        try GalletaProcess(["--control", "unix:\(control)"] + options)
    }

    private func ctl(_ arguments: String...) throws -> (code: Int32, output: String) {
        let result = try ChildProcess.run(
            GalletaProcess.program, ["ctl"] + arguments.prefix(1) + ["--socket", control] + arguments.dropFirst())
        return (result.code, result.output)
    }

    private func logIn(_ server: GalletaProcess, as user: String) throws -> String {
        let client = try FastCGIClient(unix: server.socket)
        let form = "username=\(user)&password=secret"
        let reply = try client.exchange(
            "POST", "/app/login", body: Array(form.utf8),
            [("CONTENT_TYPE", "application/x-www-form-urlencoded"), ("HTTP_SEC_FETCH_SITE", "same-origin")])
        return try #require(reply.sessionCookie, "\(reply.text)")
    }

    private func user(_ server: GalletaProcess, _ cookie: String) throws -> String {
        try FastCGIClient(unix: server.socket).exchange("GET", "/app/whoami", [("HTTP_COOKIE", cookie)]).text
    }

    @Test("asks a server over its control socket, in each form, and looks on")
    func status() throws {
        let server = try start()
        let plain = try ctl("status")
        #expect(plain.code == 0 && plain.output.contains("total workers:                2"))
        #expect(!plain.output.contains("request path"))
        #expect(try ctl("status", "--full").output.contains("idleTimeout: "))
        let json = try ctl("status", "--json")
        #expect((try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])?["pool"] != nil)
        #expect(try ctl("status", "--openmetrics").output.hasSuffix("# EOF\n"))
        let top = try ctl("top", "--count", "2", "--interval", "0.1")
        #expect(top.code == 0 && top.output.components(separatedBy: "pool:").count == 3)
        withExtendedLifetime(server) {}
    }

    @Test("lists and ends the sessions of a user, and of all")
    func sessions() throws {
        let users = folder.file("users")
        for (index, user) in ["ada", "bob"].enumerated() {
            let flags = index == 0 ? "-cbB" : "-bB"
            #expect(try ChildProcess.run("htpasswd", [flags, "-C", "4", users, user, "secret"]).code == 0)
        }
        let server = try start(["--htpasswd", users])
        let (ada, bob) = (try logIn(server, as: "ada"), try logIn(server, as: "bob"))
        #expect(try ctl("sessions", "ada").output.contains("began"))
        #expect(try ctl("sessions", "nobody").output.isEmpty)
        #expect(try ctl("end", "ada").output == "1 ended\n")
        #expect(try !user(server, ada).contains("ada") && user(server, bob).contains("bob"))
        #expect(try ctl("end", "--all").output == "1 ended, of 1 users\n")
        #expect(try !user(server, bob).contains("bob"))
        #expect(try ctl("end").code == 64)
        #expect(try ctl("end", "ada", "--all").code == 64)
    }

    @Test("sets the log level, saves, reloads and stops")
    func acts() throws {
        let server = try start(["--state", folder.file("state")])
        #expect(try ctl("log-level").output == "info\n")
        #expect(try ctl("log-level", "error").output == "error\n")
        #expect(try ctl("log-level").output == "error\n")
        let before = server.log
        #expect(try FastCGIClient(unix: server.socket).exchange("GET", "/app/ping").status == 200)
        #expect(try ctl("log-level", "loud").code == 1)
        #expect(try ctl("log-level", "info").code == 0)
        #expect(!server.log.dropFirst(before.count).contains("/app/ping"))
        #expect(try ctl("save").output == "saved 0 sessions\n")
        #expect(FileManager.default.fileExists(atPath: folder.file("state")))
        #expect(try ctl("reload").code == 0)
        #expect(eventually { server.log.contains("SIGHUP") })
        #expect(try ctl("stop").code == 0)
        #expect(server.process.exitCode() == 0)
        let gone = try ctl("status")
        #expect(gone.code == 69 && gone.output.contains("no server"))
    }

    @Test("is told what is wrong where nothing is saved, and where no server is")
    func refusals() throws {
        let server = try start()
        let save = try ctl("save")
        #expect(save.code == 1 && save.output.contains("there is no state file"), "\(save.output)")
        #expect(try ctl("nonsense").code == 64)
        let missing = try ChildProcess.run(
            GalletaProcess.program, ["ctl", "status", "--socket", folder.file("none.sock")])
        #expect(missing.code == 69 && missing.output.contains("--control"))
        let tcp = try ChildProcess.run(
            GalletaProcess.program,
            ["--listen", "unix:\(folder.file("x.sock"))", "--control", "tcp:127.0.0.1:0"])
        #expect(tcp.code == 78 && tcp.output.contains("--control: \"tcp:127.0.0.1:0\" is no unix socket"))
        withExtendedLifetime(server) {}
    }

    @Test("alone may use the control socket, by its mode, too")
    func permissions() throws {
        let server = try start()
        #expect(try FileManager.default.attributesOfItem(atPath: control)[.posixPermissions] as? Int == 0o600)
        withExtendedLifetime(server) {}
    }

    @Test("shows the status on a page, to those alone who may see it")
    func page() throws {
        let server = try start(["--status-page", "/state", "--status-allow", "192.0.2.0/24"])
        func get(_ path: String, from address: String) throws -> FastCGIReply {
            try FastCGIClient(unix: server.socket).exchange("GET", path, [("REMOTE_ADDR", address)])
        }
        let page = try get("/app/state?html", from: "192.0.2.9")
        #expect(page.status == 200 && page.text.contains("<h1>galleta-server</h1>"))
        #expect(try get("/app/state", from: "127.0.0.1").status == 404)
        let none = try GalletaProcess([])
        #expect(
            try FastCGIClient(unix: none.socket).exchange("GET", "/app/state", [("REMOTE_ADDR", "127.0.0.1")]).status
                == 404)
        for (options, message) in [
            (["--status-page", "status"], "--status-page: \"status\" is no path of a page"),
            (["--status-page", "/s", "--status-allow", "nobody"], "--status-allow: \"nobody\" is no address"),
            (["--status-page", "/ping"], "routes: GET /ping: it was added before"),
        ] {
            let result = try ChildProcess.run(GalletaProcess.program, ["--check-config"] + options)
            #expect(result.code == 78 && result.output.contains(message), "\(result)")
        }
    }

    @Test("sees log-ins that were right, wrong and throttled, and the age of the state file")
    func figures() throws {
        let users = folder.file("users")
        #expect(try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", users, "ada", "secret"]).code == 0)
        let server = try start(["--htpasswd", users, "--state", folder.file("state")])
        _ = try logIn(server, as: "ada")
        for _ in 0..<11 {
            _ = try FastCGIClient(unix: server.socket).exchange(
                "POST", "/app/login", body: Array("username=ada&password=wrong".utf8),
                [("CONTENT_TYPE", "application/x-www-form-urlencoded"), ("HTTP_SEC_FETCH_SITE", "same-origin")])
        }
        let before = try ctl("status").output
        for line in ["log-ins:", "log-ins failed:", "log-ins throttled:"].enumerated() {
            let count = [1, 10, 1][line.offset]
            let start = line.element.padding(toLength: 30, withPad: " ", startingAt: 0)
            #expect(before.contains("\n\(start)\(count)\n"), "\(before)")
        }
        #expect(before.contains("\nstate errors:                 0\n") && !before.contains("state age:"))
        #expect(try ctl("save").code == 0)
        let after = try ctl("status", "--openmetrics").output
        #expect(after.contains("\ngalleta_session_state_age_seconds "))
        #expect(after.contains("galleta_disk_errors_total{kind=\"state\"} 0\n"))
        #expect(after.contains("\ngalleta_log_ins_throttled_total 1\n"))
        // And a folder that has gone.
        try FileManager.default.moveItem(atPath: folder.file("state"), toPath: folder.file("state.old"))
        try FileManager.default.createDirectory(atPath: folder.file("state"), withIntermediateDirectories: false)
        #expect(try ctl("save").code == 1)
        #expect(try ctl("status", "--openmetrics").output.contains("galleta_disk_errors_total{kind=\"state\"} 1\n"))
    }

    @Test("has a server whose children cannot speak to its service manager")
    func environment() throws {
        let manager = try DatagramSocket(folder.file("notify"))
        let program =
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/LifecycleProgram"
        let variables = [
            "NOTIFY_SOCKET": folder.file("notify"), "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1", "FDSTORE": "4",
            "LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "OF_OURS": "1",
        ]
        let process = try ChildProcess(
            program, ["unix:\(folder.file("s.sock"))"], log: folder.file("log"), environment: variables)
        let child = try FastCGIClient(unix: folder.file("s.sock")).exchange("GET", "/environment").text
        var heard = ""
        #expect(
            eventually {
                heard += manager.take().joined()
                return heard.contains("READY=1")
            })
        #expect(child.contains("OF_OURS=1\n"), "\(child)")
        for name in variables.keys where name != "OF_OURS" { #expect(!child.contains(name + "=")) }
        #expect(process.stop() == 0)
    }

    // MARK: The log

    @Test("moves the log file away, and USR2 and HUP have a new one begun; no line is lost")
    func logFile() throws {
        let path = folder.file("galleta.log")
        let server = try start(["--log-file", path])
        func lines(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        #expect(eventually { lines(path).contains("listening on") })
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
        for (index, number) in [SIGUSR2, SIGHUP].enumerated() {
            try FileManager.default.moveItem(atPath: path, toPath: path + ".\(index)")
            server.process.signal(number)
            #expect(eventually { FileManager.default.fileExists(atPath: path) })
            _ = try FastCGIClient(unix: server.socket).exchange(
                "GET", "/app/ping?\(index)", [("REQUEST_ID", "r\(index)")])
            #expect(eventually { lines(path).contains("id=r\(index)") })
        }
        #expect(server.process.output.isEmpty)
        // Where it cannot be opened again the old one stays.
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        server.process.signal(SIGUSR2)
        #expect(eventually { lines(path + ".old").contains("stays in use") })
        #expect(server.process.stop() == 0)
        #expect(lines(path + ".old").contains("stopped"))
    }

    @Test("gets a line of JSON for each request")
    func jsonLog() throws {
        let path = folder.file("log")
        let server = try start(["--log-file", path, "--access-log-format", "json"])
        _ = try FastCGIClient(unix: server.socket).exchange("GET", "/app/\"x\"?secret", [("REQUEST_ID", "a\"b")])
        func object() -> [String: Any]? {
            let lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
            return lines.lazy.filter { $0.contains("\"status\":404") }.compactMap {
                try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }.first
        }
        #expect(eventually { object() != nil })
        let line = try #require(object())
        #expect(line["method"] as? String == "GET" && line["id"] as? String == "a\"b" && line["cut"] as? Bool == false)
        #expect(line["path"] as? String == "/app/\"x\"")
    }

    // MARK: The service manager

    @Test("has a service manager that is told of start, reload and stop, and gets signs of life")
    func notify() throws {
        let manager = try DatagramSocket(folder.file("notify"))
        let server = try GalletaProcess(
            [], environment: ["NOTIFY_SOCKET": folder.file("notify"), "WATCHDOG_USEC": "200000"])
        var messages: [String] = []
        func hears(_ text: String) -> Bool {
            eventually {
                messages += manager.take()
                return messages.contains { $0.contains(text) }
            }
        }
        #expect(hears("READY=1"))
        #expect(hears("WATCHDOG=1"))
        #expect(hears("STATUS="))
        messages = []
        server.process.signal(SIGHUP)
        #expect(hears("RELOADING=1\nMONOTONIC_USEC="))
        #expect(hears("READY=1"))
        let begin = try #require(messages.firstIndex { $0.hasPrefix("RELOADING") })
        #expect(messages[begin...].contains("READY=1"))
        #expect(server.process.stop() == 0)
        #expect(hears("STOPPING=1"))
    }
}

/// A bound socket of datagrams.
private final class DatagramSocket {
    private let fd: Int32

    init(_ path: String) throws {
        fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        try #require(fd >= 0 && InheritedSocket.bind(fd, to: path))
    }

    deinit {
        close(fd)
    }

    func take() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}
