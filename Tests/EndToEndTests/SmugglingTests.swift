import Foundation
import TestSupport
import Testing

@Suite("Request smuggling")
struct SmugglingTests {
    @Test("records inside an unread body never become a request, through nginx, at 8 alignments")
    func unreadBody() throws {
        let server = try GalletaProcess()
        // One connection of one nginx worker: the next request is certain to follow on it.
        let nginx = try Nginx(socket: server.socket, NginxSettings(workers: 1, keepalive: 1))
        let forged = FastCGIRecord.request("GET", "/app/forged", [("REMOTE_USER", "admin")])
        let attacker = try nginx.client()
        let victim = try nginx.client()
        for alignment in 0..<8 {
            for repeats in [1, 60, 700] {
                let body = [UInt8](repeating: 0, count: alignment) + (0..<repeats).flatMap { _ in forged }
                // Neither route reads its body: one has no such method, the other no such path.
                for path in ["/app/hello", "/app/nowhere"] {
                    #expect([404, 405].contains(try attacker.request("POST", path, body: body).status))
                    #expect(try victim.get("/app/ping").text == "pong\n")
                }
            }
        }
        #expect(!server.log.contains("forged"))
        #expect(!nginx.errorLog.contains("[error]"))
    }
}
