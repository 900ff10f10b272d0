import Foundation
import TestSupport
import Testing

@Suite("Wrong usage")
struct BadInputTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let arguments: [String]
        let code: Int32
        let message: String
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: [String], _ code: Int32, _ message: String) {
            self.arguments = arguments
            self.code = code
            self.message = message
        }
    }

    static let cases: [Case] = [
        Case(["--nonsense"], 64, "Unknown option '--nonsense'"),
        Case([], 78, "no socket was inherited on descriptor 0"),
        Case(["--listen", "nonsense"], 69, "write unix:/run/galleta/galleta.sock"),
        Case(["--listen", "unix:/nonexistent/folder/s.sock"], 69, "the folder /nonexistent/folder does not exist"),
        Case(["--listen", "unix:/etc/passwd"], 69, "the file exists and is not a socket"),
        Case(["--listen", "tcp:0.0.0.0:9000"], 69, "list the web servers that may connect in --allow"),
        Case(["--htpasswd", "/nonexistent"], 78, "htpasswd -B -c /nonexistent"),
        Case(["--htpasswd", "/dev/null"], 78, "/dev/null"),
        Case(["--workers", "0"], 78, "--workers: 0 is out of range; give 1 to 1024"),
        Case(["--workers", "many"], 78, "--workers: \"many\" is not a whole number"),
        Case(["--mount", "app"], 78, "give an absolute path such as /app"),
        Case(["--idle-timeout", "30"], 78, "--idle-timeout: \"30\" is not a duration"),
        Case(["--idle-timeout", "0s"], 78, "galleta-server: --idle-timeout: 0.0 seconds is not within"),
        Case(["--max-body", "8x"], 78, "--max-body: \"8x\" is not a size"),
        Case(
            ["--provider", "nowhere"], 78,
            "galleta-server: --provider: no session provider is named \"nowhere\" (registered: memory, php, redis)"),
        Case(["--cookie-name", "a b"], 78, "galleta-server: --cookie-name: "),
        Case(["--log-level", "loud"], 78, "give one of trace, debug, info"),
        Case(["--max-lifetime", "1h"], 78, "--max-lifetime: it has another name now; write --absolute-timeout"),
        Case(["--absolute-timeout", "1m"], 78, "galleta-server: --absolute-timeout: "),
        Case(["--sessions-per-user", "many"], 78, "galleta-server: --sessions-per-user: "),
        Case(["--new-sessions", "0/1m"], 78, "galleta-server: --new-sessions: "),
        Case(["--wrong-passwords", "0/1m"], 78, "galleta-server: --wrong-passwords: "),
        Case(["--wrong-passwords", "100001/1m"], 78, "galleta-server: --wrong-passwords: "),
        Case(["--wrong-passwords", "1/2d"], 78, "galleta-server: --wrong-passwords: "),
        Case(["--wrong-passwords", "10"], 78, "write it as 10/10m"),
        Case(["--new-sessions", "1/0s"], 78, "galleta-server: --new-sessions: "),
        Case(["--max-sessions", "0"], 78, "galleta-server: --max-sessions: "),
        Case(["--max-session-memory", "1"], 78, "galleta-server: --max-session-memory: "),
        Case(["--state", "/tmp/", "--state-interval", "1m"], 78, "galleta-server: --state: "),
        Case(["--state", "/tmp/x", "--state-interval", "500ms"], 78, "galleta-server: --state-interval: "),
        Case(["--state", "/tmp/x", "--state-interval", "2d"], 78, "galleta-server: --state-interval: "),
        Case(["--max-connections", "0"], 78, "galleta-server: --max-connections: "),
        Case(["--max-head", "1"], 78, "galleta-server: --max-head: "),
        Case(["--connection-timeout", "0s"], 78, "galleta-server: --connection-timeout: "),
        Case(["--shutdown-grace", "2d"], 78, "galleta-server: --shutdown-grace: "),
        Case(["--demo", "--htpasswd", "/dev/null"], 78, "--demo: there is a password file already (--htpasswd)"),
        Case(["--socket-mode", "rw"], 78, "give octal digits such as 0660"),
    ]

    @Test("ends with a message that names the remedy, and the right exit code", arguments: cases)
    func refused(wrong: Case) throws {
        let listens = wrong.arguments.contains("--listen") || wrong.arguments.isEmpty || wrong.code == 64
        let result = try ChildProcess.run(
            GalletaProcess.program, wrong.arguments + (listens ? [] : ["--listen", "tcp:127.0.0.1:0"]))
        #expect(result.code == wrong.code)
        #expect(result.output.contains(wrong.message), "\(result.output)")
    }

    @Test("an environment variable that is wrong is named")
    func environment() throws {
        let result = try ChildProcess.run(GalletaProcess.program, [], environment: ["GALLETA_WORKERS": "x"])
        #expect(result.code == 78)
        #expect(result.output.contains("GALLETA_WORKERS: \"x\" is not a whole number"))
        let range = try ChildProcess.run(GalletaProcess.program, [], environment: ["GALLETA_WORKERS": "0"])
        #expect(range.output.contains("galleta-server: GALLETA_WORKERS: 0 is out of range"))
        let file = try ChildProcess.run(GalletaProcess.program, [], environment: ["GALLETA_HTPASSWD": "/dev/null"])
        #expect(file.output.contains("galleta-server: GALLETA_HTPASSWD: /dev/null: "))
    }

    @Test("a variable that has another name now is refused with the new one")
    func renamedVariable() throws {
        let result = try ChildProcess.run(GalletaProcess.program, [], environment: ["GALLETA_MAX_LIFETIME": "1h"])
        #expect(result.code == 78)
        #expect(
            result.output.contains(
                "GALLETA_MAX_LIFETIME: it has another name now; write GALLETA_ABSOLUTE_TIMEOUT"))
    }

    @Test("a socket and a port in use are not taken away")
    func inUse() throws {
        let server = try GalletaProcess()
        let second = try ChildProcess.run(GalletaProcess.program, ["--listen", "unix:\(server.socket)"])
        #expect(second.code == 69)
        #expect(second.output.contains("a running process listens on it already"))
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
        let nginx = try Nginx(socket: server.socket)
        let third = try ChildProcess.run(GalletaProcess.program, ["--listen", "tcp:127.0.0.1:\(nginx.port)"])
        #expect(third.code == 69)
        #expect(third.output.contains("the port is in use"))
    }

    @Test("--help, --version and --check-config answer without serving")
    func information() throws {
        let help = try ChildProcess.run(GalletaProcess.program, ["--help"])
        #expect(help.code == 0 && help.output.contains("--listen") && help.output.contains("GALLETA_WORKERS"))
        let version = try ChildProcess.run(GalletaProcess.program, ["--version"])
        #expect(version.code == 0 && version.output.split(separator: ".").count == 3)
        #expect(try ChildProcess.run(GalletaProcess.program, ["--check-config"]).code == 0)
        #expect(try ChildProcess.run(GalletaProcess.program, ["--check-config", "--workers", "0"]).code == 78)
    }
}
