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

    @Test("what no web server sends is refused, however it is cut", arguments: HostileBody.all, [1, 8, Int.max])
    func hostile(body: HostileBody, size: Int) {
        let result = walk(body.bytes, size: size)
        #expect(result.refusal?.rawValue == body.reason)
    }

    @Test("reaches neither libfcgi nor a handler when it comes after the head", arguments: HostileBody.all)
    func server(body: HostileBody) throws {
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

/// Records that must not stand inside a body.
struct HostileBody: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: [UInt8]
    let reason: String

    private init(_ name: String, _ refusal: HeadCheck.Refusal, _ bytes: [UInt8]) {
        testDescription = name
        self.bytes = bytes
        reason = refusal.rawValue
    }

    private typealias Kind = FastCGIRecord.Kind

    private static func getValues(_ count: Int) -> [UInt8] {
        let names = (0..<count).flatMap { _ in FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")]) }
        return FastCGIRecord(Kind.getValues, id: 0, names).bytes
    }

    static let all: [HostileBody] = [
        HostileBody("GET_VALUES", .body, getValues(1)),
        HostileBody("GET_VALUES, a name 200 times", .body, getValues(200)),
        HostileBody("GET_VALUES behind content", .body, FastCGIRecord(Kind.stdin, [1, 2]).bytes + getValues(4)),
        HostileBody("GET_VALUES cut short", .body, FastCGIRecord(Kind.getValues, id: 0, [14, 0, 70]).bytes),
        HostileBody("an unknown management record", .body, FastCGIRecord(99, id: 0, [1, 2, 3]).bytes),
        HostileBody("an unknown type", .body, FastCGIRecord(77, [1]).bytes),
        HostileBody("another request's content", .body, FastCGIRecord(Kind.stdin, id: 7, [1]).bytes),
        HostileBody("another request's end", .body, FastCGIRecord(Kind.stdin, id: 7).bytes),
        HostileBody("PARAMS", .body, FastCGIRecord(Kind.params, [1, 1, 65, 66]).bytes),
        HostileBody("DATA", .body, FastCGIRecord(Kind.data, [1]).bytes),
        HostileBody("BEGIN, the same id", .pipelined, FastCGIRecord.begin().bytes),
        HostileBody("BEGIN, another id", .pipelined, FastCGIRecord.begin(id: 2).bytes),
        HostileBody("ABORT", .aborted, FastCGIRecord(Kind.abort).bytes),
        HostileBody("ABORT of another request", .body, FastCGIRecord(Kind.abort, id: 5).bytes),
        HostileBody("version 2", .version, [2, 5, 0, 1, 0, 0, 0, 0]),
        HostileBody("no FastCGI at all", .version, Array("hello, world".utf8)),
        HostileBody("bytes behind the end", .pipelined, FastCGIRecord.stream(Kind.stdin, [1]) + [1]),
    ]
}
