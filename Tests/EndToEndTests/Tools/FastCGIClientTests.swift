import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The tests' own FastCGI client")
struct FastCGIClientTests {
    // At most some 250 writes: the server only looks at a head until it is whole, and a unix socket of Linux holds no
    // more unread writes than that, however small.
    @Test("a request in many small writes, with short and with long lengths, is one request", arguments: [1, 4])
    func pieces(size: Int) throws {
        let server = try GalletaProcess()
        var fields = [("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/app/ping")]
        if size > 1 { fields.append(("X", String(repeating: "x", count: 200))) }
        let pairs = FastCGIRecord.pairs(fields, longLengths: size > 1)
        let request =
            FastCGIRecord.begin().bytes + FastCGIRecord.stream(FastCGIRecord.Kind.params, pairs, size: 7)
            + FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [])
        let client = try server.fastCGI()
        try client.send(request, inPiecesOf: size)
        #expect(try client.reply().text == "pong\n")
    }

    @Test("lengths are one byte below 128, and four from there on or where asked")
    func lengths() {
        #expect(FastCGIRecord.length(127) == [127])
        #expect(FastCGIRecord.length(128) == [0x80, 0, 0, 128])
        #expect(FastCGIRecord.length(5, isLong: true) == [0x80, 0, 0, 5])
    }

    @Test("clients that vanish in mid-request leave the server serving")
    func abort() throws {
        let server = try GalletaProcess()
        let request = FastCGIRecord.request("GET", "/app/ping")
        for length in stride(from: 1, to: request.count, by: 5) {
            let client = try server.fastCGI()
            try client.send(Array(request[..<length]))
            client.abort()
        }
        #expect(try server.fastCGI().exchange("GET", "/app/ping").text == "pong\n")
    }

    @Test("an answer that ends before END_REQUEST is cut")
    func cut() throws {
        let server = try ScriptedServer(answer: "\u{1}\u{6}\0\u{1}\0\u{2}\0\0ok")
        let client = try FastCGIClient(port: server.port)
        let reply = try client.reply()
        #expect(reply.isCut)
        #expect(reply.output == Array("ok".utf8))
        #expect(try client.isClosedByServer())
    }

    @Test("a connection that stays open is not taken for closed")
    func open() throws {
        let server = try GalletaProcess()
        let client = try server.fastCGI()
        #expect(try client.exchange("GET", "/app/ping").protocolStatus == 0)
        #expect(try !client.isClosedByServer(within: 50))
    }

    @Test("a backlog that stays full is a failure after its time")
    func fullBacklog() throws {
        let folder = try TemporaryFolder()
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        try #require(InheritedSocket.bind(listener, to: folder.file("s.sock")) && listen(listener, 0) == 0)
        let first = try FastCGIClient(unix: folder.file("s.sock"))
        #expect(throws: FastCGIClient.Failure.self) {
            try FastCGIClient(unix: folder.file("s.sock"), within: 0.1)
        }
        withExtendedLifetime(first) {}
    }
}
