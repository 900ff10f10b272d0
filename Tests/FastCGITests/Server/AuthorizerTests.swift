import FastCGI
import TestSupport
import Testing

@Suite("Authorizers")
struct AuthorizerTests {
    @Test(
        "an Authorizer is answered without waiting for a body, and its connection kept",
        // nginx and others send an empty record, Apache sends none; the head may end anywhere in libfcgi's buffer.
        arguments: [
            [UInt8](), FastCGIRecord(FastCGIRecord.Kind.stdin).bytes,
            FastCGIRecord(FastCGIRecord.Kind.stdin, padding: 9).bytes,
        ],
        [0, 8_050, 8_100, 8_110, 12_000]
    )
    func authorizerHasNoBody(stdin: [UInt8], length: Int) throws {
        let server = try RunningServer { request in
            .text("\(request.role) \(try request.body.collect().count)")
        }
        let client = try server.client()
        for index in 0..<20 {
            let long = String(repeating: "x", count: length + index)
            try client.send(FastCGIRecord.head("GET", "/", role: 2, [("LONG", long)]) + stdin)
            #expect(try client.reply().text == "authorizer 0")
        }
        #expect(server.server.statistics.acceptedConnections == 1)
        #expect(server.server.statistics.refusedHeads == 0)
    }

    @Test("an Authorizer's body is passed over, and waited for if it comes in part")
    func authorizerWithBody() throws {
        let server = try RunningServer { request in
            .text("\(request.role) \(try request.body.collect().count)")
        }
        let client = try server.client()
        let body = FastCGIRecord.stream(FastCGIRecord.Kind.stdin, [1, 2, 3])
        for _ in 0..<2 {
            try client.send(FastCGIRecord.head("GET", "/", role: 2) + body.prefix(10))
            try client.send(Array(body.dropFirst(10)))
            #expect(try client.reply().text == "authorizer 0")
        }
        #expect(server.server.statistics.acceptedConnections == 1)
    }
}
