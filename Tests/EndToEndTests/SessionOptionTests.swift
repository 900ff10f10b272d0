import Foundation
import TestSupport
import Testing

@Suite("--provider and --session-option")
struct SessionOptionTests {
    private func start(_ options: [String], environment: [String: String] = [:]) throws -> (code: Int32, output: String)
    {
        try ChildProcess.run(GalletaProcess.program, options, environment: environment)
    }

    @Test("name what is wrong with a provider's own setting, and how it was given")
    func refused() throws {
        for (options, environment, message) in [
            (
                ["--session-option", "nonsense=1"], [:],
                "--session-option nonsense: the memory provider has no such parameter"
            ),
            (
                [], ["GALLETA_SESSION_OPTIONS": "nonsense=1"],
                "GALLETA_SESSION_OPTIONS nonsense: the memory provider has"
            ),
            (["--session-option", "s3cret"], [:], "--session-option: a word of it is not KEY=VALUE"),
            (["--session-option", "=s3cret"], [:], "--session-option: a word of it is not KEY=VALUE"),
            (["--session-option", "a=1", "--session-option", "a=s3cret"], [:], "a is there twice"),
            (
                ["--session-option", "stateLockTimeout=soon", "--state", "/tmp/x"], [:],
                "\"soon\" is not a whole number"
            ),
            (["--provider", "nope"], [:], "--provider: no session provider is named \"nope\""),
        ] as [([String], [String: String], String)] {
            let result = try start(options + ["--check-config"], environment: environment)
            #expect(result.code == 78 && result.output.contains(message), "\(options) \(result)")
            #expect(!result.output.contains("s3cret"), "a half-written password is not repeated")
        }
    }

    @Test("reach the provider by the command line and by the variable, and the start line names what counts")
    func reached() throws {
        let server = try GalletaProcess(
            ["--session-option", "maximumSessions=3", "--idle-timeout", "90s", "--sessions-per-user", "7"])
        #expect(eventually { server.log.contains("sessions are kept") })
        #expect(server.log.contains("provider=memory") && server.log.contains("idleTimeout=90.0 seconds"))
        #expect(
            server.log.contains("maximumSessionsPerUser=7") && server.log.contains("absoluteTimeout=43200.0 seconds"))
        let client = try server.fastCGI()
        let statuses = try (0..<4).map { _ in try client.exchange("GET", "/app/counter").status }
        #expect(statuses == [200, 200, 200, 200], "the oldest makes room")
        let other = try GalletaProcess(environment: ["GALLETA_SESSION_OPTIONS": "maximumBytes=4096 maximumSessions=9"])
        #expect(try other.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }
}

@Suite("The program of \"Write a provider\"")
struct ProviderProgramTests {
    @Test("serves, and counts a visitor's visits")
    func serves() throws {
        let folder = try TemporaryFolder()
        let socket = folder.file("s.sock")
        let program =
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/ProviderProgram"
        let process = try ChildProcess(program, ["unix:\(socket)"], log: folder.file("log"))
        defer { withExtendedLifetime(process) {} }
        var cookie: String?
        for visit in 1...3 {
            var reply: FastCGIReply?
            let answers = eventually(within: 20) {
                reply = try? FastCGIClient(unix: socket, within: 0).exchange(
                    "GET", "/app/visits", cookie.map { [("HTTP_COOKIE", $0)] } ?? [])
                return reply != nil
            }
            #expect(answers, "\(folder.read("log"))")
            #expect(reply?.text == "\(visit)\n")
            if let set = reply?["set-cookie"] { cookie = String(set.prefix { $0 != ";" }) }
        }
    }
}
