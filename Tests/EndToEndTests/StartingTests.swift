import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Starting the server", .serialized)
struct StartingTests {
    private func expectService(_ server: GalletaProcess) throws {
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        #expect(try client.get("/app/ping").text == "pong\n")
        let first = try client.get("/app/counter")
        #expect(first.text == "1\n")
        #expect(try client.get("/app/counter", ["Cookie: \(first.cookie ?? "")"]).text == "2\n")
    }

    @Test("by --listen: it serves, SIGTERM ends it with 0, and its socket file is gone")
    func listen() throws {
        let server = try GalletaProcess()
        try expectService(server)
        server.process.signal(SIGTERM)
        #expect(server.process.exitCode() == 0)
        #expect(!FileManager.default.fileExists(atPath: server.socket))
    }

    @Test("by spawn-fcgi -n: it serves the socket on descriptor 0")
    func spawnForeground() throws {
        try expectService(GalletaProcess { socket, command in ("spawn-fcgi", ["-n", "-s", socket, "--"] + command) })
    }

    @Test("by spawn-fcgi: it serves as a daemon")
    func spawnDaemon() throws {
        let server = try GalletaProcess(daemonWithOptions: [])
        let pid = try #require(server.daemon)
        try expectService(server)
        kill(pid, SIGTERM)
        #expect(eventually(within: 20) { kill(pid, 0) != 0 })
    }

    @Test("by systemd-socket-activate: it serves the socket that LISTEN_FDS names")
    func socketActivation() throws {
        try expectService(
            GalletaProcess { socket, command in ("systemd-socket-activate", ["-l", socket] + command) })
    }

    @Test("by TCP on loopback")
    func tcp() throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            GalletaProcess.program, ["--listen", "tcp:127.0.0.1:0"], log: folder.file("log"))
        #expect(eventually { process.output.contains("listening on tcp:127.0.0.1:") })
        let line = try #require(process.output.split(separator: "\n").first { $0.contains("listening on") })
        let port = try #require(line.split(separator: ":").last?.split(separator: " ").first.flatMap { UInt16($0) })
        #expect(try FastCGIClient(port: port).exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test("options come from the environment, and the command line wins")
    func environment() throws {
        let server = try GalletaProcess(
            ["--cookie-name", "mine"], environment: ["GALLETA_COOKIE_NAME": "theirs", "GALLETA_MAX_BODY": "1k"])
        let client = try server.fastCGI()
        #expect(try client.exchange("GET", "/app/counter")["Set-Cookie"]?.hasPrefix("mine=") == true)
        #expect(try client.exchange("POST", "/app/login", body: [UInt8](repeating: 65, count: 2000)).status == 413)
    }

    @Test("it says what it listens on, and warns of a socket that every user may write to")
    func worldWritable() throws {
        let server = try GalletaProcess(["--socket-mode", "0666"])
        #expect(server.hasLogged("listening on unix:"))
        #expect(server.hasLogged("is world-writable"))
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test(
        "without a password file and without --demo there is no log-in; with --demo its user's password is in the log")
    func demo() throws {
        let closed = try GalletaProcess(hasUser: false)
        let page = try closed.fastCGI().exchange("GET", "/app/")
        #expect(page.status == 200 && !page.text.contains("<input type=\"password\""))
        #expect(try closed.fastCGI().exchange("POST", "/app/login").status == 404)
        #expect(!closed.log.contains("password"))
        for (options, environment) in [(["--demo"], [:]), ([], ["GALLETA_DEMO": "1"])] {
            let open = try GalletaProcess(options, environment: environment, hasUser: false)
            #expect(open.demoPassword?.count == 16)
            #expect(try open.fastCGI().exchange("GET", "/app/").text.contains("type=\"password\""))
        }
    }
}
