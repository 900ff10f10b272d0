import TestSupport
import Testing

@testable import FastCGI

@Suite("The records of a body")
struct BodyRecordsTests {
    typealias Kind = FastCGIRecord.Kind

    /// What is left of `bytes` when they are walked in pieces of `size`, or why they were refused.
    private func walk(
        _ bytes: [UInt8], size: Int = .max
    ) -> (content: [UInt8], isComplete: Bool, refusal: HeadCheck.Refusal?) {
        var records = BodyRecords(requestID: 1)
        var content: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            do {
                try piece.withUnsafeBytes { try records.take($0) { content += $0 } }
            } catch {
                return (content, false, error as? HeadCheck.Refusal)
            }
        }
        return (content, records.isComplete, nil)
    }

    @Test("where the network cuts them changes nothing", arguments: [1, 2, 7, 8, 9, 100, .max])
    func cuts(size: Int) {
        let body = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var bytes = FastCGIRecord(Kind.stdin, Array(body[..<300]), padding: 255).bytes
        bytes += FastCGIRecord.stream(Kind.stdin, Array(body[300...]), size: 97).dropLast(8)
        #expect(walk(bytes, size: size).isComplete == false)
        bytes += FastCGIRecord(Kind.stdin, padding: 5).bytes
        #expect(walk(Array(bytes.dropLast()), size: size).isComplete == false)
        let whole = walk(bytes, size: size)
        #expect(whole.content == body && whole.isComplete && whole.refusal == nil)
    }

    @Test("what no web server sends is refused, however it is cut", arguments: HostileBytes.bodies, [1, 8, Int.max])
    func hostile(body: HostileBytes, size: Int) {
        let result = walk(body.bytes, size: size)
        #expect(result.refusal.map { "\($0)" } == body.reason)
    }

    @Test("reaches neither libfcgi nor a handler when it comes after the head", arguments: HostileBytes.bodies)
    func server(body: HostileBytes) throws {
        let server = try RunningServer { request in .text("\(request.path) \(try request.body.collect().count)") }
        let good = try server.client()
        let bad = try server.client()
        try bad.send(FastCGIRecord.head("POST", "/bad", contentLength: 100))
        // The head has been looked at once another request is answered on each worker.
        for _ in 0..<4 { #expect(try good.exchange("GET", "/good").text == "/good 0") }
        try bad.send(body.bytes)
        #expect(try bad.isClosedByServer())
        #expect(try good.exchange("GET", "/good").text == "/good 0")
        #expect(server.server.statistics.requests == 5)
        #expect(server.server.statistics.refusedHeads == 1)
    }
}
