import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Signals", .serialized)
struct SignalTests {
    private let socket: InheritedSocket
    private let folder: TemporaryFolder

    init() throws {
        socket = try InheritedSocket()
        folder = try TemporaryFolder()
    }

    private func start() throws -> ChildProcess {
        let server = try socket.start(["--state", folder.file("state")])
        guard eventually(within: 20, { server.output.contains("listening on") }) else {
            throw TestFailure(description: server.output)
        }
        return server
    }

    private func count(_ cookie: String? = nil) throws -> (text: String, cookie: String?) {
        let parameters = cookie.map { [("HTTP_COOKIE", $0)] } ?? []
        let reply = try FastCGIClient(unix: socket.path).exchange("GET", "/app/counter", parameters)
        return (reply.text, reply["Set-Cookie"].flatMap { $0.split(separator: ";").first }.map(String.init))
    }

    @Test(
        "TERM, INT, QUIT and USR1 stop the server with 0, and the sessions are saved",
        arguments: [SIGTERM, SIGINT, SIGQUIT, SIGUSR1])
    func stopping(number: Int32) throws {
        let first = try start()
        let cookie = try #require(try count().cookie)
        first.signal(number)
        #expect(first.exitCode() == 0)
        #expect(first.output.contains("saved 1 sessions"))
        let second = try start()
        #expect(try count(cookie).text == "2\n")
        #expect(second.stop() == 0)
    }

    @Test(
        "HUP, USR2 and PIPE do not end it",
        arguments: [(SIGHUP, "SIGHUP: "), (SIGUSR2, "SIGUSR2: there is no log file to open again"), (SIGPIPE, "")])
    func surviving(number: Int32, line: String) throws {
        let server = try start()
        let cookie = try #require(try count().cookie)
        server.signal(number)
        if !line.isEmpty { #expect(eventually { server.output.contains(line) }) }
        #expect(try count(cookie).text == "2\n")
        #expect(server.isRunning)
        #expect(server.stop() == 0)
    }

    @Test("HUP reads the password file again; a broken one leaves the users of before, and is reported")
    func passwordFile() throws {
        let users = folder.file("users")
        #expect(try ChildProcess.run("htpasswd", ["-cbB", "-C", "4", users, "ada", "pass"]).code == 0)
        let server = try socket.start(["--htpasswd", users])
        #expect(eventually(within: 20) { server.output.contains("listening on") })
        server.signal(SIGHUP)
        #expect(eventually { server.output.contains("SIGHUP: read again") })
        #expect(server.output.contains("the password file was read again"))
        try "broken".write(toFile: users, atomically: true, encoding: .utf8)
        server.signal(SIGHUP)
        #expect(
            eventually { server.output.contains("SIGHUP: what was read before stays in use: --htpasswd: \(users)") })
        #expect(server.stop() == 0)
    }

    @Test("HUP runs each hook of a program, also after one that throws, whose error is logged")
    func reloadHooks() throws {
        let (program, client) = try startProgram()
        for round in 1...2 {
            program.signal(SIGHUP)
            #expect(
                eventually { program.output.components(separatedBy: "the second hook ran").count == round + 1 },
                "\(program.output)")
        }
        #expect(program.output.contains("what was read before stays in use: the first hook refuses"))
        #expect(try client.exchange("GET", "/ping").text == "pong\n")
        #expect(program.stop() == 0)
    }

    @Test("what a program logs after run() has returned is not lost")
    func lastLines() throws {
        for _ in 0..<5 {
            let (program, _) = try startProgram()
            #expect(program.stop() == 0)
            #expect(program.output.components(separatedBy: "run() has returned").count == 201)
            #expect(program.output.hasSuffix("line 200\n"))
        }
    }

    private func startProgram() throws -> (ChildProcess, FastCGIClient) {
        let path = folder.file("program.sock")
        let program = try ChildProcess(
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/LifecycleProgram",
            ["unix:\(path)"], log: folder.file("log-\(UUID().uuidString)"))
        guard eventually(within: 20, { program.output.contains("listening on") }) else {
            throw TestFailure(description: program.output)
        }
        return (program, try FastCGIClient(unix: path))
    }
}
