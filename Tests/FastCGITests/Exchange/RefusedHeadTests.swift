import FastCGI
import GalletaPlatform
import TestSupport
import Testing

@Suite("Heads that are refused")
struct RefusedHeadTests {
    private typealias Kind = FastCGIRecord.Kind

    private func server() throws -> RunningServer {
        try RunningServer({
            $0.maxHeadBytes = 8192
            $0.maxParameters = 20
        }) { .text($0.path) }
    }

    @Test("are answered where the request is only too large: 431, or 414 for an address; then the connection is closed")
    func tooLarge() throws {
        let server = try server()
        let long = String(repeating: "x", count: 9000)
        let rows: [(head: [UInt8], status: Int)] = [
            (FastCGIRecord.head("GET", "/", [("HTTP_COOKIE", long)]), 431),
            (FastCGIRecord.head("GET", "/" + long), 414),
            (FastCGIRecord.head("GET", "/", (0..<21).map { ("HTTP_X\($0)", "1") }), 431),
            // The address is there, and short; what comes after it is too much.
            (FastCGIRecord.head("GET", "/?" + String(repeating: "y", count: 1000), [("HTTP_COOKIE", long)]), 431),
        ]
        for size in [Int.max, 1000, 64] {
            for row in rows {
                let client = try server.client()
                if size == .max { try client.send(row.head) } else { try? client.send(row.head, inPiecesOf: size) }
                #expect(try client.reply().status == row.status)
                #expect(try client.isClosedByServer())
            }
        }
        #expect(try server.client().exchange("GET", "/good").text == "/good")
    }

    @Test("are answered although their bodies are still on the way")
    func bodyBehind() throws {
        let server = try server()
        let head = FastCGIRecord.head("POST", "/", [("HTTP_COOKIE", String(repeating: "x", count: 9000))])
        let body = FastCGIRecord.stream(Kind.stdin, [UInt8](repeating: 65, count: 3_000_000))
        let client = try server.client()
        let sender = try SystemThread(name: "sender") { try? client.send(head + body) }
        #expect(sender.join(timeout: .seconds(20)))
        #expect(try client.reply().status == 431)
    }

    @Test("of a role that is not known, or of a second request beside the first, end with their protocol status")
    func protocolStatus() throws {
        let server = try server()
        for (bytes, status) in [
            (FastCGIRecord.begin(role: 3).bytes, 3),
            (FastCGIRecord.begin().bytes + FastCGIRecord.begin(id: 2).bytes, 1),
            (FastCGIRecord.head("POST", "/") + FastCGIRecord.begin(id: 2).bytes, 1),
        ] as [([UInt8], UInt8)] {
            let client = try server.client()
            try client.send(bytes)
            let reply = try client.reply()
            #expect(reply.protocolStatus == status && reply.output.isEmpty)
            #expect(try client.isClosedByServer())
        }
    }

    @Test("what is no FastCGI is closed without a word")
    func noFastCGI() throws {
        let server = try server()
        let client = try server.client()
        try client.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        let reply = try client.reply()
        #expect(reply.isCut && reply.output.isEmpty)
    }
}

@Suite("Management records")
struct ManagementTests {
    private typealias Kind = FastCGIRecord.Kind

    private func values(_ reply: [UInt8]) -> [String: String] {
        var rest = reply[...]
        var values: [String: String] = [:]
        while rest.count >= 2 {
            let (name, value) = (Int(rest[rest.startIndex]), Int(rest[rest.startIndex + 1]))
            rest = rest.dropFirst(2)
            values[String(decoding: rest.prefix(name), as: UTF8.self)] =
                String(decoding: rest.dropFirst(name).prefix(value), as: UTF8.self)
            rest = rest.dropFirst(name + value)
        }
        return values
    }

    @Test(
        "a health check that asks for values gets those that it asked for, on a connection that goes on",
        arguments: [1, 4096])
    func getValues(size: Int) throws {
        let server = try RunningServer({ $0.maxConnections = 77 }) { .text($0.path) }
        let client = try server.client()
        let names = [("FCGI_MAX_CONNS", ""), ("FCGI_MPXS_CONNS", ""), ("SOMETHING", ""), ("FCGI_MAX_CONNS", "")]
        try client.send(
            FastCGIRecord(Kind.getValues, id: 0, FastCGIRecord.pairs(names), padding: 3).bytes, inPiecesOf: size)
        let record = try client.record()
        #expect(record.type == 10 && record.id == 0)
        #expect(values(record.content) == ["FCGI_MAX_CONNS": "77", "FCGI_MPXS_CONNS": "0"])
        #expect(try client.exchange("GET", "/then").text == "/then")
        // Between requests, too.
        try client.send(FastCGIRecord(Kind.getValues, id: 0, FastCGIRecord.pairs([("FCGI_MAX_REQS", "")])).bytes)
        #expect(values(try client.record().content) == ["FCGI_MAX_REQS": "77"])
        #expect(try client.exchange("GET", "/again").text == "/again")
        #expect(server.server.statistics.refusedHeads == 0)
    }

    @Test("a type that is not known is named as such")
    func unknownType() throws {
        let server = try RunningServer { .text($0.path) }
        let client = try server.client()
        try client.send(FastCGIRecord(99, id: 0, [1, 2, 3]).bytes)
        let record = try client.record()
        #expect(record.type == 11 && record.id == 0 && record.content == [99, 0, 0, 0, 0, 0, 0, 0])
        #expect(try client.exchange("GET", "/then").text == "/then")
    }

    @Test("are counted for each connection by itself")
    func counted() throws {
        let server = try RunningServer { .text($0.path) }
        let record = FastCGIRecord(Kind.getValues, id: 0, FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")])).bytes
        let clients = try (0..<40).map { _ in try server.client() }
        for client in clients {
            try client.send(record)
            #expect(try client.record().type == 10)
        }
        for client in clients { #expect(try client.exchange("GET", "/then").text == "/then") }
    }

    @Test("who asks again and again is refused")
    func bounded() throws {
        let server = try RunningServer { .text($0.path) }
        let client = try server.client()
        let record = FastCGIRecord(Kind.getValues, id: 0, FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")])).bytes
        for _ in 0..<8 {
            try client.send(record)
            #expect(try client.record().type == 10)
        }
        try client.send(record)
        #expect(try client.isClosedByServer())
        #expect(eventually { server.server.statistics.refusedHeads == 1 })
    }
}
