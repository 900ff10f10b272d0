import Foundation
import TestSupport
import Testing

@Suite("The tests' own nginx", .serialized)
struct NginxTests {
    @Test("settings reach the configuration, and nginx takes it")
    func settings() throws {
        let server = try GalletaProcess()
        let nginx = try Nginx(
            socket: server.socket,
            NginxSettings(
                workers: 1, keepalive: 3, buffersRequests: false, maxBody: "2k", extra: "add_header X-Extra here;"))
        let text = nginx.folder.read("nginx.conf")
        for line in [
            "worker_processes 1;", "keepalive 3;", "fastcgi_request_buffering off;", "client_max_body_size 2k;",
        ] {
            #expect(text.contains(line))
        }
        let reply = try nginx.client().get("/app/ping")
        #expect(reply.text == "pong\n")
        #expect(reply["X-Extra"] == "here")
        #expect(
            try nginx.client().request("POST", "/app/hello", body: [UInt8](repeating: 65, count: 3000)).status == 413)
    }

    @Test("an edit that finds nothing to change is a failure, never ignored")
    func edits() throws {
        #expect(throws: TestFailure.self) {
            _ = try Nginx(socket: "/nowhere") {
                var text = $0
                try NginxSettings.replace("no such directive;", with: "", in: &text)
                return text
            }
        }
    }

    @Test("several FastCGI servers are asked in turn")
    func severalSockets() throws {
        let servers = [try GalletaProcess(), try GalletaProcess()]
        let nginx = try Nginx(sockets: servers.map(\.socket), NginxSettings(workers: 1))
        for _ in 0..<8 { #expect(try nginx.client().get("/app/hello").status == 200) }
        for server in servers { #expect(server.hasLogged("GET /app/hello 200")) }
    }

    @Test("a configuration that nginx refuses is a failure with nginx's reason")
    func refused() throws {
        let failure = #expect(throws: TestFailure.self) {
            _ = try Nginx(socket: "/nowhere", NginxSettings(extra: "nonsense on;"))
        }
        #expect(failure?.description.contains("unknown directive \"nonsense\"") == true)
    }

    @Test("a connection that nginx is about to end is announced by its last answer")
    func lastAnswer() throws {
        let server = try GalletaProcess()
        let nginx = try Nginx(socket: server.socket)
        let client = try nginx.client()
        var answered = 0
        // keepalive_requests of nginx is 1,000 for a client.
        while answered < 1100 {
            let reply = try client.get("/app/ping")
            answered += 1
            if reply.endsConnection { break }
        }
        #expect(answered == 1000)
        #expect(throws: HTTPClient.Failure.self) { try client.get("/app/ping") }
    }
}
