import Foundation
import GalletaPlatform
import TestSupport
import Testing

@Suite("The tests' own proxy before redis-server")
struct RedisProxyTests {
    let server: RedisServer
    let proxy: RedisProxy

    init() throws {
        server = try RedisServer()
        proxy = try RedisProxy(to: server, hasPort: true)
    }

    /// A client through the proxy's port. It sends commands in a line each.
    private func client() throws -> RedisLine {
        try RedisLine(port: #require(proxy.port))
    }

    @Test("it forwards, from a unix socket and from a port, and counts")
    func forward() throws {
        let result = try ChildProcess.run(
            "redis-cli", ["-s", proxy.socket, "SET", "key", String(repeating: "x", count: 100_000)])
        #expect(result.output == "OK\n")
        let line = try client()
        try line.send("GET key")
        let reply = try line.receive(100_011)
        #expect(reply.hasPrefix("$100000\r\nxxx"))
        #expect(eventually { proxy.openConnections == 1 })
        #expect(proxy.connections == 2)
        #expect(eventually { proxy.replyBytes == 5 + 100_011 })
        #expect(proxy.requestBytes > 100_000)
    }

    @Test("it delays replies, and not the connection")
    func delay() throws {
        proxy.mode = .delay(.milliseconds(200))
        let line = try client()
        let start = BootInstant.now
        try line.send("PING\r\nPING")
        #expect(try line.receive(14) == "+PONG\r\n+PONG\r\n")
        let time = start.duration(to: .now)
        #expect(time >= .milliseconds(200))
    }

    @Test("it drips a byte each time, until told otherwise")
    func drip() throws {
        let line = try client()
        proxy.mode = .drip(every: .milliseconds(30))
        let start = BootInstant.now
        try line.send("PING")
        #expect(try line.receive(4) == "+PON")
        #expect(start.duration(to: .now) >= .milliseconds(120))
        proxy.mode = .forward
        #expect(try line.receive(3) == "G\r\n")
    }

    @Test("it cuts a connection after so many bytes of replies since then", arguments: [0, 1, 3])
    func cut(count: Int) throws {
        let line = try client()
        try line.send("SET key 10")
        #expect(try line.receive(5) == "+OK\r\n")
        proxy.mode = .cut(afterReplyBytes: count)
        try line.send("INCR key")
        #expect(try line.receive(4) == String(":11\r\n".prefix(count)))
        #expect(try server.cli("GET", "key") == "11")
    }

    @Test("it holds what it reads, before the server or behind it, and lets it go on")
    func hold() throws {
        proxy.mode = .hold
        let line = try client()
        try line.send("INCR key")
        #expect(eventually { proxy.requestBytes == 10 })
        #expect(proxy.replyBytes == 0)
        #expect(try server.cli("GET", "key").isEmpty)
        proxy.mode = .holdReplies
        #expect(try eventually { try server.cli("GET", "key") == "1" })
        #expect(proxy.replyBytes == 0)
        proxy.mode = .forward
        #expect(try line.receive(4) == ":1\r\n")
    }

    @Test("it closes all connections at once, and takes new ones")
    func closeAll() throws {
        let lines = [try client(), try client()]
        #expect(eventually { proxy.openConnections == 2 })
        proxy.closeAll()
        for line in lines { #expect(try line.receive(1).isEmpty) }
        let line = try client()
        try line.send("PING")
        #expect(try line.receive(7) == "+PONG\r\n")
    }

    @Test("where the server is gone it closes connections; held ones stay")
    func deadServer() throws {
        let server = try RedisServer()
        let proxy = try RedisProxy(to: server, hasPort: true)
        server.kill()
        let line = try RedisLine(port: #require(proxy.port))
        #expect(try line.receive(1).isEmpty)
        proxy.mode = .hold
        let held = try RedisLine(port: #require(proxy.port))
        try held.send("PING")
        #expect(eventually { proxy.requestBytes == 6 })
        #expect(proxy.openConnections == 1)
        try server.restart()
        proxy.mode = .forward
        #expect(try held.receive(7) == "+PONG\r\n")
    }
}
