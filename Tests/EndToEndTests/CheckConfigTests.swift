import Foundation
import Glibc
import TestSupport
import Testing

@Suite("--check-config")
struct CheckConfigTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func check(_ options: [String], environment: [String: String] = [:]) throws -> (code: Int32, output: String)
    {
        try ChildProcess.run(GalletaProcess.program, ["--check-config"] + options, environment: environment)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test("what would start is valid, and nothing is left behind")
    func valid() throws {
        let users = folder.file("users")
        #expect(try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", users, "ada", "pass"]).code == 0)
        chmod(users, 0o600)
        let options = [
            "--listen", "unix:\(folder.file("s.sock"))", "--state", folder.file("state"), "--htpasswd", users,
        ]
        let result = try check(options)
        #expect(result.code == 0)
        #expect(result.output == "the configuration is valid\n")
        #expect(try names() == ["users"])
    }

    @Test("what a start would refuse is refused with the same words")
    func refused() throws {
        let server = try GalletaProcess()
        try "x".write(toFile: folder.file("plain"), atomically: true, encoding: .utf8)
        for (options, code, message) in [
            (["--listen", "unix:\(folder.file("missing/s.sock"))"], 69, "does not exist; create it (install -d"),
            (["--listen", "unix:\(folder.file("plain"))"], 69, "the file exists and is not a socket"),
            (["--listen", "unix:/proc/self/s.sock"], 69, "/proc/self"),
            (["--listen", "unix:/" + String(repeating: "x", count: 107)], 69, "1 to 107 bytes"),
            (["--state", folder.file("missing/state")], 78, "--state: sessions cannot be kept in"),
            (["--state", folder.path], 78, "--state: sessions cannot be kept in"),
            (["--htpasswd", folder.file("missing")], 78, "--htpasswd: \(folder.file("missing"))"),
            (["--htpasswd", folder.file("plain")], 78, "line 1"),
            (["--allow", "user:no-such-user"], 69, "does not exist"),
        ] as [([String], Int32, String)] {
            let result = try check(options)
            #expect(result.code == code && result.output.contains(message), "\(options) \(result)")
            let listen = options[0] == "--listen" ? [] : ["--listen", "unix:\(folder.file("s.sock"))"]
            let start = try ChildProcess.run(GalletaProcess.program, options + listen)
            #expect(start.code == code && start.output.contains(message), "\(options) \(start)")
        }
        #expect(try names() == ["plain"])
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test("an address that a running server has is told of, and is no fault; a start refuses it")
    func inUse() throws {
        let server = try GalletaProcess()
        let nginx = try Nginx(socket: server.socket)
        for (address, reason) in [
            ("unix:\(server.socket)", "a running process listens on it already"),
            ("tcp:127.0.0.1:\(nginx.port)", "the port is in use"),
        ] {
            let result = try check(["--listen", address])
            #expect(result.code == 0 && result.output.hasSuffix("the configuration is valid\n"), "\(result)")
            #expect(
                result.output.contains(
                    "notice a start would be refused for the moment: cannot listen on \(address): \(reason)"))
            let start = try ChildProcess.run(GalletaProcess.program, ["--listen", address])
            #expect(start.code == 69 && start.output.contains(reason))
        }
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test("a state file that cannot be restored is refused, and stays as it is")
    func damagedState() throws {
        let state = folder.file("state")
        let server = try GalletaProcess(["--state", state])
        _ = try server.fastCGI().exchange("GET", "/app/counter")
        #expect(server.process.stop() == 0)
        #expect(try check(["--state", state]).output == "the configuration is valid\n")
        let names = try names()
        let whole = try Data(contentsOf: URL(fileURLWithPath: state))
        for damaged in [Data("something else".utf8), Data(count: 4_096), whole.dropFirst()] {
            try damaged.write(to: URL(fileURLWithPath: state))
            let result = try check(["--state", state])
            #expect(result.code == 78, "\(result)")
            #expect(result.output.contains("--state: the sessions in \(state) cannot be restored: it is no state file"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: state)) == damaged)
        }
        #expect(try self.names() == names)
    }

    @Test("a folder that this user may not write is refused", .enabled(if: geteuid() == 0))
    func foreignFolder() throws {
        chmod(folder.path, 0o755)
        for (options, message) in [
            (["--listen", "unix:\(folder.file("s.sock"))"], "no permission to create a socket in \(folder.path)"),
            (["--state", folder.file("state")], "give the process's user the right to write in the folder"),
        ] {
            let program = try copyForEverybody()
            let result = try ChildProcess.run(
                "setpriv",
                ["--reuid=65534", "--regid=65534", "--clear-groups", "--", program, "--check-config"] + options)
            #expect(result.code == 69 || result.code == 78)
            #expect(result.output.contains(message), "\(result)")
        }
    }

    /// The program may be below a folder that only root can pass.
    private func copyForEverybody() throws -> String {
        let copy = folder.file("galleta-server")
        // By another process: a descriptor that writes it could be inherited by what other tests start meanwhile.
        #expect(try ChildProcess.run("install", ["-m", "0755", GalletaProcess.program, copy]).code == 0)
        return copy
    }

    @Test("a state file that a running server has is no error: a start would wait for it")
    func stateInUse() throws {
        let state = folder.file("state")
        let server = try GalletaProcess(["--state", state])
        let result = try check(["--state", state])
        #expect(result.code == 0, "\(result)")
        #expect(server.process.stop() == 0)
    }

    @Test("an unknown variable is warned of, at a check and at a start")
    func unknownVariable() throws {
        let environment = ["GALLETA_IDLE_TIME": "1h"]
        let line = "warning the environment variable GALLETA_IDLE_TIME is not known and has no effect; did you mean "
        let result = try check([], environment: environment)
        #expect(result.code == 0)
        #expect(result.output.contains(line + "GALLETA_IDLE_TIMEOUT?"))
        #expect(try GalletaProcess(environment: environment).hasLogged(line))
    }

    @Test("one worker for passwords and everything else is told of, at a check and at a start")
    func oneWorker() throws {
        let users = folder.file("users")
        #expect(try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", users, "ada", "pass"]).code == 0)
        let line = "notice with GALLETA_WORKERS 1 nobody is answered while a password is checked"
        #expect(try check(["--htpasswd", users], environment: ["GALLETA_WORKERS": "1"]).output.contains(line))
        for options in [["--workers", "1", "--demo"], ["--workers", "2", "--htpasswd", users]] {
            #expect(try !check(options).output.contains("nobody is answered"))
        }
        #expect(
            try GalletaProcess(["--workers", "1", "--htpasswd", users]).hasLogged("notice with --workers 1 nobody is"))
    }
}
