import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Several processes on one inherited socket")
struct ManyProcessesTests {
    @Test("the second one is refused, with the first one's number and the remedy, and the first goes on")
    func refused() throws {
        let socket = try InheritedSocket()
        let first = try socket.start()
        #expect(eventually(within: 20) { first.output.contains("listening on") })
        let second = try socket.start()
        #expect(second.exitCode(within: 20) == 69)
        #expect(second.output.contains("process \(first.pid) serves this socket already"), "\(second.output)")
        #expect(second.output.contains("--allow-many-processes"))
        #expect(try FastCGIClient(unix: socket.path).exchange("GET", "/app/ping").text == "pong\n")
        first.signal(SIGTERM)
        #expect(first.exitCode() == 0)
    }

    @Test("are allowed on request")
    func allowed() throws {
        let socket = try InheritedSocket()
        let servers = try (0..<2).map { _ in try socket.start(["--allow-many-processes"]) }
        for server in servers {
            #expect(eventually(within: 20) { server.output.contains("listening on") })
        }
        for server in servers {
            server.signal(SIGTERM)
            #expect(server.exitCode() == 0)
        }
    }
}
