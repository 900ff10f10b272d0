import FastCGI
import GalletaPlatform
import TestSupport
import Testing

@Suite("Summaries for an access log")
struct SummaryTests {
    private func server(_ lines: Locked<[String]>) throws -> RunningServer {
        try RunningServer(
            { $0.maxParameters = 8 },
            observer: { summary in
                let line = "\(summary.method) \(summary.path) \(summary.status) \(summary.wasSent)"
                lines.withLock { $0.append(line) }
            }
        ) { request in .text(request.path) }
    }

    @Test("are made for heads that are refused, too, and show nothing of the request before on that connection")
    func refusedHead() throws {
        let lines = Locked<[String]>([])
        let server = try server(lines)
        let client = try server.client()
        #expect(try client.exchange("GET", "/before").status == 200)
        try client.send([9, 9, 9, 9, 9, 9, 9, 9])
        #expect(try client.isClosedByServer())
        let many = try server.client()
        try many.send(FastCGIRecord.head("GET", "/many?q", (0..<9).map { ("HTTP_X\($0)", "1") }))
        #expect(try many.reply().status == 431)
        #expect(try many.isClosedByServer())
        #expect(eventually { lines.withLock { $0.count } == 3 })
        #expect(lines.withLock { $0 } == ["GET /before 200 true", "- - 400 false", "- - 431 true"])
        #expect(server.server.statistics.refusedHeads == 2)
    }

    @Test("and answers hold nothing of a head that broke off on another connection")
    func brokenOffHead() throws {
        let lines = Locked<[String]>([])
        let server = try server(lines)
        let head = FastCGIRecord.head("GET", "/broken-off")
        for length in [1, 8, 16, 20, 40, head.count - 8] {
            for _ in 0..<4 {
                let client = try server.client()
                try client.send(Array(head[..<length]))
                client.closeSending()
                #expect(try client.isClosedByServer())
            }
            #expect(try server.client().exchange("GET", "/whole").text == "/whole")
        }
        #expect(eventually { lines.withLock { $0.count } == 6 })
        #expect(lines.withLock { Set($0) } == ["GET /whole 200 true"])
    }

    @Test("are made for requests that no handler sees")
    func refusedRequest() throws {
        let lines = Locked<[String]>([])
        let client = try server(lines).client()
        let reply = try client.exchange("GET", "/%zz?secret")
        #expect(reply.status == 400)
        #expect(reply["X-Content-Type-Options"] == "nosniff" && reply["Referrer-Policy"] == "same-origin")
        #expect(eventually { lines.withLock { $0 } == ["GET /%zz 400 true"] })
    }
}
