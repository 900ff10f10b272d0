import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Two servers with their sessions in one Redis, behind deploy/nginx/two-servers.conf", .serialized)
struct TwoServersTests {
    let redis: RedisServer
    let servers: [GalletaProcess]
    let nginx: Nginx
    private let folder: TemporaryFolder

    init() throws {
        try self.init(options: [])
    }

    init(options: [String]) throws {
        let redis = try RedisServer()
        let servers = try (0..<2).map { _ in
            try GalletaProcess(["--provider", "redis", "--session-option", "url=unix://\(redis.socket)"] + options)
        }
        let folder = try TemporaryFolder()
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        var example = try String(
            contentsOf: repository.appendingPathComponent("deploy/nginx/two-servers.conf"), encoding: .utf8)
        for (number, server) in zip(1..., servers) {
            try NginxSettings.replace(
                "server unix:/run/galleta/\(number).sock", with: "server unix:\(server.socket)", in: &example)
        }
        try example.write(toFile: folder.file("two-servers.conf"), atomically: true, encoding: .utf8)
        // One worker: it asks the two in turn, several would do so each for itself.
        nginx = try Nginx(sockets: servers.map(\.socket), NginxSettings(workers: 1)) { configuration in
            var text = configuration
            let start = try #require(text.range(of: "    upstream galleta {\n"))
            let end = try #require(text.range(of: "\n    }\n", range: start.upperBound..<text.endIndex))
            text.replaceSubrange(
                start.lowerBound..<end.upperBound, with: "    include \(folder.file("two-servers.conf"));\n")
            try NginxSettings.replace("fastcgi_next_upstream off;", with: "", in: &text)
            return text
        }
        (self.redis, self.servers, self.folder) = (redis, servers, folder)
    }

    /// How often a server has logged a request.
    private func logged(_ request: String, by server: GalletaProcess) -> Int {
        server.log.components(separatedBy: request).count - 1
    }

    @Test("a visitor's counter goes on over both, which are asked in turn")
    func counter() throws {
        let client = try nginx.client()
        let first = try client.get("/app/counter")
        #expect(first.text == "1\n")
        let cookie = try #require(first.cookie)
        for count in 2...20 {
            #expect(try client.get("/app/counter", ["Cookie: \(cookie)"]).text == "\(count)\n")
        }
        for server in servers { #expect(eventually { logged("GET /app/counter 200", by: server) == 10 }) }
    }

    @Test("one that is stopped hands its visitors over: no visit fails, and none counts twice")
    func stop() throws {
        let client = try nginx.client()
        let cookie = try #require(try client.get("/app/counter").cookie)
        for count in 2...100 {
            if count == 30 { servers[0].process.signal(SIGTERM) }
            let reply = try client.get("/app/counter", ["Cookie: \(cookie)"])
            #expect((reply.status, reply.text) == (200, "\(count)\n"))
        }
        #expect(servers[0].process.exitCode(within: 20) == 0)
        #expect(try client.get("/app/counter", ["Cookie: \(cookie)"]).text == "101\n")
    }

    @Test("while one is away the other gets every request, those with a body, too")
    func away() throws {
        let client = try nginx.client()
        let cookie = try #require(try client.get("/app/counter").cookie)
        servers[1].process.signal(SIGKILL)
        #expect(servers[1].process.exitCode(within: 20) != nil)
        for count in 2...20 {
            #expect(try client.get("/app/counter", ["Cookie: \(cookie)"]).text == "\(count)\n")
        }
        for _ in 0..<4 {
            let reply = try client.post("/app/login", form: [("username", "demo")])
            #expect(reply.status == 403)
        }
        #expect(eventually { logged("POST /app/login 403", by: servers[0]) == 4 })
    }

    @Test(
        "what a server was sent before it was lost is sent to the other if it is a GET, and never if it is a POST",
        arguments: [("GET", "/app/ping", 200), ("POST", "/app/login", 502)])
    func lost(method: String, path: String, status: Int) throws {
        let clients = [try nginx.client(), try nginx.client()]
        #expect(try clients[0].get("/app/hello").status == 200)
        #expect(eventually { servers.contains { logged("GET /app/hello 200", by: $0) == 1 } })
        let place = try #require(servers.firstIndex { logged("GET /app/hello 200", by: $0) == 1 })
        let (chosen, other) = (servers[place], servers[1 - place])
        #expect(try clients[1].get("/app/hello").status == 200)
        // It is its turn again; stopped, it takes the request and does nothing.
        chosen.process.pause()
        try clients[0].send(Array("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx".utf8))
        // The one after it is answered by the other: the first is with its server by then.
        #expect(try clients[1].get("/app/hello").status == 200)
        // Its start was waited for by pings.
        let before = logged("\(method) \(path)", by: other)
        chosen.process.signal(SIGKILL)
        #expect(try clients[0].reply().status == status)
        // Until its last descriptor is closed it could still be sent something.
        #expect(chosen.process.exitCode(within: 20) != nil)
        #expect(try clients[1].request(method, path).status != 502)
        let times = status == 502 ? 1 : 2
        #expect(eventually { logged("\(method) \(path)", by: other) >= before + times })
        #expect(logged("\(method) \(path)", by: other) == before + times)
    }
}
