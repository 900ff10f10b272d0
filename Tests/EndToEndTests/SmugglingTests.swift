import Foundation
import TestSupport
import Testing

@Suite("Request smuggling")
struct SmugglingTests {
    @Test("records inside an unread body never become a request, through nginx, at any alignment")
    func unreadBody() throws {
        let server = try GalletaProcess()
        // One connection of one nginx worker: the next request is certain to follow on it.
        let nginx = try Nginx(socket: server.socket, NginxSettings(workers: 1, keepalive: 1))
        let forged = FastCGIRecord.request("GET", "/app/forged", [("REMOTE_USER", "admin")])
        let attacker = try nginx.client()
        let victim = try nginx.client()
        // Wherever libfcgi stops reading (it reads 8 KiB at a time), one of them has a forged record begin there.
        for alignment in 0..<forged.count {
            for repeats in alignment < 8 ? [1, 90, 700] : [90] {
                let body = [UInt8](repeating: 0, count: alignment) + (0..<repeats).flatMap { _ in forged }
                // Neither route reads its body: one has no such method, the other no such path.
                for path in ["/app/hello", "/app/nowhere"] {
                    #expect([404, 405].contains(try attacker.request("POST", path, body: body).status))
                    #expect(try victim.get("/app/ping").text == "pong\n")
                }
            }
        }
        #expect(server.process.stop() == 0)
        #expect(!server.log.contains("forged"))
        #expect(!server.log.contains("closed a connection"))
        #expect(!nginx.errorLog.contains("[error]"))
    }
}
