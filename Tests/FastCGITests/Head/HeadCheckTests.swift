import TestSupport
import Testing

@testable import FastCGI

@Suite("The head check")
struct HeadCheckTests {
    typealias Kind = FastCGIRecord.Kind

    /// What the check says about some bytes, and the pairs it found.
    private func check(_ bytes: [UInt8], maxBytes: Int = 65_536, maxParameters: Int = 1000) -> Result {
        let check = HeadCheck(maxBytes: maxBytes, maxParameters: maxParameters)
        var pairs = ParameterPairs()
        var bytes = bytes
        return bytes.withUnsafeMutableBytes { buffer in
            switch check.check(buffer, pairs: &pairs) {
            case .incomplete: .incomplete
            case .refused(let refusal): .refused(refusal)
            case .complete(let head):
                .complete(
                    head,
                    pairs.pairs.map {
                        (
                            String(decoding: buffer[$0.name], as: UTF8.self),
                            String(decoding: buffer[$0.value], as: UTF8.self)
                        )
                    }
                )
            }
        }
    }

    private enum Result {
        case incomplete
        case refused(HeadCheck.Refusal)
        case complete(HeadCheck.Head, [(String, String)])

        var refusal: HeadCheck.Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
        var head: HeadCheck.Head? { if case .complete(let head, _) = self { head } else { nil } }
        var pairs: [(String, String)] { if case .complete(_, let pairs) = self { pairs } else { [] } }
        var isIncomplete: Bool { if case .incomplete = self { true } else { false } }
    }

    @Test("a plain request passes, and every prefix of it is incomplete")
    func plainRequest() throws {
        let bytes = FastCGIRecord.request("GET", "/a", [("X", "1")])
        let result = check(bytes)
        let head = try #require(result.head)
        #expect(head.keepsConnection && !head.isAuthorizer && head.bodyIsComplete && head.requestID == 1)
        #expect(result.pairs.map(\.0) == ["REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR", "X"])
        let headLength = FastCGIRecord.head("GET", "/a", [("X", "1")]).count
        for length in 0..<headLength { #expect(check(Array(bytes.prefix(length))).isIncomplete) }
        for length in headLength..<bytes.count {
            #expect(check(Array(bytes.prefix(length))).head?.bodyIsComplete == false)
        }
    }

    @Test("pairs may straddle records of any size", arguments: [1, 2, 3, 7, 64])
    func straddlingRecords(size: Int) {
        let value = String(repeating: "v", count: 300)
        let content = FastCGIRecord.pairs([("A", "1"), ("LONG", value), ("", "empty name"), ("EMPTY", "")])
        let bytes = FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, content, size: size)
        let pairs = check(bytes).pairs
        #expect(pairs.map(\.0) == ["A", "LONG", "", "EMPTY"])
        #expect(pairs.map(\.1) == ["1", value, "empty name", ""])
    }

    @Test("padding is passed over, 255 bytes of it too")
    func padding() {
        var begin = FastCGIRecord.begin()
        begin.padding = 255
        let params = FastCGIRecord(Kind.params, FastCGIRecord.pairs([("A", "1")]), padding: 255)
        let end = FastCGIRecord(Kind.params, padding: 255)
        let body = FastCGIRecord(Kind.stdin, padding: 255)
        let result = check(begin.bytes + params.bytes + end.bytes + body.bytes)
        #expect(result.pairs.map(\.1) == ["1"])
        #expect(result.head?.bodyIsComplete == true)
    }

    @Test("duplicate names are all kept, in order")
    func duplicates() {
        let head = FastCGIRecord.head("GET", "/", [("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2")])
        #expect(check(head).pairs.filter { $0.0 == "HTTP_COOKIE" }.map(\.1) == ["a=1", "b=2"])
    }

    @Test("no parameters at all is a sane head")
    func noParameters() {
        let result = check(FastCGIRecord.begin().bytes + FastCGIRecord(Kind.params).bytes)
        #expect(result.head != nil && result.pairs.isEmpty)
    }

    @Test("an Authorizer needs no STDIN; with or without its empty record the body is complete")
    func authorizer() {
        let head = FastCGIRecord.head(role: 2)
        #expect(check(head).head?.bodyIsComplete == true)
        #expect(check(head + FastCGIRecord(Kind.stdin).bytes).head?.isAuthorizer == true)
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let refusal: HeadCheck.Refusal

        init(_ name: String, _ refusal: HeadCheck.Refusal, _ bytes: [UInt8]) {
            testDescription = name
            self.bytes = bytes
            self.refusal = refusal
        }
    }

    static let begin = FastCGIRecord.begin().bytes
    static let head = FastCGIRecord.head()

    static func params(_ content: [UInt8]) -> [UInt8] {
        begin + FastCGIRecord.stream(Kind.params, content)
    }

    static func version(_ version: UInt8) -> [UInt8] {
        var record = FastCGIRecord.begin()
        record.version = version
        return record.bytes
    }

    static let hostile: [Case] = [
        Case("raw HTTP", .version, Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)),
        Case("version 0", .version, version(0)),
        Case("version 2", .version, version(2)),
        Case("version 2 in the second record", .version, begin + [2]),
        Case("BEGIN of length 7", .begin, FastCGIRecord(Kind.begin, [0, 1, 1, 0, 0, 0, 0]).bytes),
        Case("BEGIN with id 0", .begin, FastCGIRecord.begin(id: 0).bytes),
        Case("PARAMS first", .begin, FastCGIRecord(Kind.params, FastCGIRecord.pairs([("A", "1")])).bytes),
        Case("STDIN first", .begin, FastCGIRecord(Kind.stdin).bytes),
        Case(
            "GET_VALUES", .begin,
            FastCGIRecord(Kind.getValues, id: 0, FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")])).bytes),
        Case(
            "GET_VALUES with repeated names", .begin,
            FastCGIRecord(
                Kind.getValues, id: 0, (0..<200).flatMap { _ in FastCGIRecord.pairs([("FCGI_MAX_CONNS", "")]) }
            ).bytes),
        Case("unknown type before BEGIN", .begin, FastCGIRecord(99, id: 0, [1, 2, 3]).bytes),
        Case("Filter role", .role, FastCGIRecord.begin(role: 3).bytes),
        Case("role 99", .role, FastCGIRecord.begin(role: 99).bytes),
        Case("role 0", .role, FastCGIRecord.begin(role: 0).bytes),
        Case("second BEGIN, same id", .recordType, begin + begin),
        Case("second BEGIN, other id", .foreignID, begin + FastCGIRecord.begin(id: 2).bytes),
        Case("foreign id in PARAMS", .foreignID, begin + FastCGIRecord(Kind.params, id: 7, [1, 1, 65, 66]).bytes),
        Case("zero-length foreign PARAMS", .foreignID, begin + FastCGIRecord(Kind.params, id: 7).bytes),
        Case("unknown id-0 record in PARAMS", .foreignID, begin + FastCGIRecord(99, id: 0, [1]).bytes),
        Case("unknown type in PARAMS", .recordType, begin + FastCGIRecord(42, [1]).bytes),
        Case("ABORT within PARAMS", .aborted, begin + FastCGIRecord(Kind.abort).bytes),
        Case("name length 0x7ffffffe", .pairLength, params([0xff, 0xff, 0xff, 0xfe, 0])),
        Case("value length 0x7ffffffe", .pairLength, params([0, 0xff, 0xff, 0xff, 0xfe])),
        Case("lengths that wrap together", .pairLength, params([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
        Case("1 GiB claimed", .pairLength, params([0xc0, 0, 0, 0, 1, 65])),
        Case("a length cut short", .pairLength, params([0x80, 0, 0])),
        Case("a name without a value length", .pairLength, params([3])),
        Case("a pair longer than its stream", .pairLength, params([5, 5, 65, 66])),
        Case("NUL in a name", .pairName, params(FastCGIRecord.pairs([("a\0b", "1")]))),
        Case("= in a name", .pairName, params(FastCGIRecord.pairs([("a=b", "1")]))),
        Case("NUL in a value", .pairValue, params(FastCGIRecord.pairs([("A", "a\0b")]))),
        Case("32,000 empty pairs", .tooMany, params([UInt8](repeating: 0, count: 64_000))),
        Case("pipelined pair", .pipelined, FastCGIRecord.request() + FastCGIRecord.request()),
        Case("BEGIN inside STDIN", .pipelined, head + begin),
        Case("bytes after the end of STDIN", .pipelined, FastCGIRecord.request() + [1]),
        Case("foreign id in STDIN", .body, head + FastCGIRecord(Kind.stdin, id: 9, [1]).bytes),
        Case("unknown type in STDIN", .body, head + FastCGIRecord(77, [1]).bytes),
        Case(
            "PARAMS after STDIN", .body, head + FastCGIRecord(Kind.stdin, [1]).bytes + FastCGIRecord(Kind.params).bytes),
        Case("version 9 in STDIN", .version, head + [9]),
        Case("ABORT after the head", .aborted, head + FastCGIRecord(Kind.abort).bytes),
    ]

    @Test("is refused before libfcgi sees it", arguments: hostile)
    func refuses(hostile: Case) {
        #expect(check(hostile.bytes).refusal == hostile.refusal)
    }

    @Test("parameters over the limit are refused as soon as that is certain")
    func tooLarge() {
        let large = FastCGIRecord.pairs([("BIG", String(repeating: "x", count: 70_000))])
        let bytes = FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, large)
        #expect(check(bytes).refusal == .tooLarge)
        #expect(check(Array(bytes.prefix(100))).refusal == .tooLarge)
        let mebibyte = FastCGIRecord.pairs([("BIG", String(repeating: "x", count: 1 << 20))])
        #expect(check(FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, mebibyte)).refusal == .tooLarge)
        #expect(check(FastCGIRecord.head("GET", "/" + String(repeating: "x", count: 60_000))).head != nil)
    }

    @Test("the limit on parameters is exact")
    func parameterLimit() {
        let pairs = FastCGIRecord.pairs((0..<5).map { ("N\($0)", "") })
        let bytes = FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, pairs)
        #expect(check(bytes, maxParameters: 5).head != nil)
        #expect(check(bytes, maxParameters: 4).refusal == .tooMany)
    }

    @Test("a hostile peer loses its connection, and a good one beside it sees nothing", arguments: hostile)
    func server(hostile: Case) throws {
        let server = try RunningServer { request in .text(request.path) }
        let good = try server.client()
        #expect(try good.exchange("GET", "/before").text == "/before")
        let bad = try server.client()
        try bad.send(hostile.bytes)
        #expect(try bad.isClosedByServer())
        #expect(try good.exchange("GET", "/after").text == "/after")
        #expect(server.server.statistics.requests == 2)
        #expect(server.server.statistics.refusedHeads == 1)
    }
}
