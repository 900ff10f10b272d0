import Foundation
import TestSupport
import Testing

@Suite("Kept connections", .serialized)
struct ConnectionPoolTests {
    @Test("64 clients of two nginx workers leave their connections idle, and the next request is answered at once")
    func pool() throws {
        let server = try GalletaProcess()
        let nginx = try Nginx(socket: server.socket)
        let clients = try (0..<64).map { _ in try nginx.client() }
        for _ in 0..<5 {
            DispatchQueue.concurrentPerform(iterations: 64) { index in _ = try? clients[index].get("/app/hello") }
        }
        for client in clients { #expect(try client.get("/app/ping").text == "pong\n") }
        #expect(try nginx.client().get("/app/ping").text == "pong\n")
        #expect(!nginx.errorLog.contains("[error]"))
    }

    @Test("1,000 idle connections hold up nobody")
    func thousand() throws {
        let server = try GalletaProcess()
        let idle = try (0..<1000).map { _ in try server.fastCGI() }
        for client in idle.prefix(500) { #expect(try client.exchange("GET", "/app/ping").text == "pong\n") }
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
        #expect(try idle[999].exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test("without a free descriptor the server waits, says so, and recovers")
    func descriptors() throws {
        // What other tests have open in this moment is not to count.
        let alone = "for fd in /proc/$$/fd/*; do ((${fd##*/} < 3)) || eval \"exec ${fd##*/}>&-\"; done"
        let server = try GalletaProcess { socket, command in
            ("bash", ["-c", "\(alone); ulimit -n 32; exec \"$@\"", "bash"] + command + ["--listen", "unix:\(socket)"])
        }
        var clients = try (0..<60).map { _ in try server.fastCGI() }
        #expect(server.hasLogged("Too many open files"))
        clients.removeAll()
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
        #expect(server.process.isRunning)
    }

    @Test("without room for a body the client gets 500, the log the reason, and the next request an answer")
    func fullDisk() throws {
        // As far as a full disk can be had without one: no file may grow beyond 64 KiB.
        let server = try GalletaProcess { socket, command in
            ("bash", ["-c", "ulimit -f 64; exec \"$@\"", "bash"] + command + ["--listen", "unix:\(socket)"])
        }
        let client = try server.fastCGI()
        let large = [UInt8](repeating: 65, count: 200_000)
        #expect(try client.exchange("POST", "/app/login", body: large).status == 500)
        #expect(try client.exchange("GET", "/app/ping").text == "pong\n")
        #expect(
            server.hasLogged("could not be kept until it had arrived: cannot write an uploaded file: File too large")
        )
    }
}
