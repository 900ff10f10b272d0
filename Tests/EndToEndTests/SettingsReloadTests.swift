import Foundation
import Glibc
import TestSupport
import Testing

/// An operator changes the file of settings of a running server.
@Suite("A file of settings that is read again")
struct SettingsReloadTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private var path: String { folder.file("galleta.conf") }

    private func write(_ text: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func start(
        _ text: String, _ options: [String] = [], environment: [String: String] = [:]
    ) throws -> GalletaProcess {
        try write(text)
        return try GalletaProcess(
            ["--config", path, "--control", "unix:\(folder.file("control.sock"))"] + options, environment: environment)
    }

    private func reload(_ text: String) throws -> (code: Int32, output: String) {
        try write(text)
        let result = try ChildProcess.run(
            GalletaProcess.program, ["ctl", "reload", "--socket", folder.file("control.sock")])
        return (result.code, result.output)
    }

    private func post(_ server: GalletaProcess, _ count: Int) throws -> Int? {
        try server.fastCGI().exchange("POST", "/app/nothing", body: [UInt8](repeating: 0x61, count: count)).status
    }

    @Test("has limits and the log level change while requests go on; who asked is told which")
    func limits() throws {
        let server = try start("log-level = warning\nmax-body = 100k\nslow-log = 1h\n")
        #expect(try post(server, 90_000) == 404)
        #expect(!server.log.contains("/app/nothing"))
        let result = try reload("log-level = info\nmax-body = 80k\nnew-sessions = 1/1h\nslow-log = 1ms\n")
        #expect(result.code == 0)
        #expect(result.output == "read again\nlog-level, max-body, new-sessions, slow-log: in effect\n")
        #expect(try post(server, 90_000) == 413)
        #expect(server.hasLogged("/app/nothing 413"))
        #expect(server.hasLogged("SIGHUP: log-level, max-body, new-sessions, slow-log: in effect"))
        let visitor = [("REMOTE_ADDR", "192.0.2.1")]
        let codes = try (0..<2).map { _ in try server.fastCGI().exchange("GET", "/app/counter", visitor).status }
        #expect(codes == [200, 429], "\(codes)")
        // Without the lines the defaults count.
        #expect(try reload("").output.hasPrefix("read again\nlog-level, max-body, new-sessions, slow-log: in effect"))
        #expect(try post(server, 90_000) == 404)
        #expect(try server.fastCGI().exchange("GET", "/app/counter", visitor).status == 200)
    }

    @Test("has a program's own settings change that it has said can, and refuses those that are wrong")
    func ownSettings() throws {
        let users = folder.file("users")
        #expect(try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", users, "ada", "secret"]).code == 0)
        let server = try start("wrong-passwords = 1/1h\n", ["--htpasswd", users])
        func guess() throws -> Int? {
            try server.fastCGI().exchange(
                "POST", "/app/login", body: Array("username=ada&password=guess".utf8),
                [
                    ("CONTENT_TYPE", "application/x-www-form-urlencoded"), ("HTTP_SEC_FETCH_SITE", "same-origin"),
                    ("REMOTE_ADDR", "192.0.2.1"),
                ]
            ).status
        }
        #expect(try [guess(), guess()] == [401, 429])
        #expect(try reload("wrong-passwords = 2/1h\n").output == "read again\nwrong-passwords: in effect\n")
        #expect(try [guess(), guess()] == [401, 429])
        let refused = try reload("wrong-passwords = 3\nmax-body = 1k\n")
        #expect(refused.code == 1 && refused.output.contains(":1 wrong-passwords: \"3\" is not a number per time"))
        #expect(try guess() == 429)
        // An own setting that it has not named.
        #expect(try reload("demo = on\nwrong-passwords = 2/1h\n").output.contains("demo: not before the next start"))
        // Without the line the default counts.
        #expect(try reload("").output.contains("wrong-passwords: in effect"))
        #expect(try guess() == 401)
    }

    @Test("names what cannot change before the next start, and what another setting hides")
    func fixed() throws {
        let server = try start(
            "idle-timeout = 10m\n", ["--max-head", "64k"], environment: ["GALLETA_HANDLER_TIMEOUT": "60s"])
        let result = try reload("idle-timeout = 20m\nmax-connections = 9\nmax-head = 32k\nhandler-timeout = 50s\n")
        #expect(result.code == 0)
        #expect(
            result.output == """
                read again
                idle-timeout, max-connections: not before the next start
                handler-timeout has no effect: GALLETA_HANDLER_TIMEOUT has a value, which counts
                max-head has no effect: --max-head has a value, which counts

                """)
        #expect(server.hasLogged("idle-timeout, max-connections: not before the next start"))
        // The same file once more: nothing is new.
        server.process.signal(SIGHUP)
        #expect(server.hasLogged("SIGHUP: read again"))
    }

    @Test(
        "changes nothing if it is not valid, and says why",
        arguments: [
            ("max-body = 80k\nlog-level = loud\n", ":2 log-level: \"loud\" is not known"),
            ("max-body = 80k\nwrite-timeout = 0s\n", ":2 write-timeout: 0.0 seconds is out of range"),
            ("max-body = 80k\nnew-sessions = 0/1m\n", ":2 new-sessions: 0 is not within 1 and 1,000,000"),
            ("max-body = 80k\nmax-bodi = 1\n", ":2: max-bodi is no setting; did you mean max-body?"),
            ("max-body = 80k\nmax-body = 81k\n", ":2: max-body is there twice"),
        ])
    func invalid(text: String, message: String) throws {
        let server = try start("max-body = 100k\n")
        let result = try reload(text)
        #expect(result.code == 1 && result.output.contains(path + message), "\(result)")
        #expect(server.hasLogged("stays in use: \(path)\(message)"))
        #expect(try post(server, 90_000) == 404)
        // And the next one that is valid counts.
        #expect(try reload("max-body = 80k\n").code == 0)
        #expect(try post(server, 90_000) == 413)
    }

    @Test("that is gone stays in use")
    func gone() throws {
        let server = try start("max-body = 100k\n")
        try FileManager.default.removeItem(atPath: path)
        server.process.signal(SIGHUP)
        #expect(server.hasLogged("stays in use: \(path): it cannot be read: No such file or directory"))
        #expect(try post(server, 110_000) == 413)
    }

    @Test("is checked by --check-config and by the start, by line")
    func check() throws {
        for (text, message) in [
            ("workers = 8\nworkers = 9\n", ":2: workers is there twice"), ("worker = 8\n", ":1: worker is no setting"),
            ("# x\nmax-body = x\n", ":2 max-body: \"x\" is not a size"),
            ("workers = 0\n", ":1 workers: 0 is out of range"),
        ] {
            try write(text)
            for options in [["--check-config"], ["--listen", "unix:\(folder.file("s.sock"))"]] {
                let result = try ChildProcess.run(GalletaProcess.program, ["--config", path] + options)
                #expect(result.code == 78 && result.output.contains(path + message), "\(result)")
            }
        }
        try write("workers = 2\ndemo = on\nlisten = unix:\(folder.file("s.sock"))\n")
        #expect(try ChildProcess.run(GalletaProcess.program, ["--config", path, "--check-config"]).code == 0)
        let missing = try ChildProcess.run(
            GalletaProcess.program, ["--check-config"], environment: ["GALLETA_CONFIG": folder.file("none")])
        #expect(missing.code == 78)
        #expect(missing.output.contains("GALLETA_CONFIG: \(folder.file("none")): it cannot be read"))
    }

    @Test("loses no request, however often it is read")
    func undisturbed() throws {
        let server = try start("max-body = 100k\n")
        let client = try server.fastCGI()
        for round in 0..<20 {
            try write("max-body = \(90 + round)k\nhandler-timeout = \(30 + round)s\nmax-head = \(32 + round)k\n")
            server.process.signal(SIGHUP)
            for number in 0..<20 {
                let reply = try client.exchange("GET", "/app/ping", body: [], [("REQUEST_ID", "\(round)-\(number)")])
                #expect(reply.status == 200 && reply.text == "pong\n")
            }
        }
        #expect(eventually { (try? post(server, 108_000)) == 404 })
    }
}
