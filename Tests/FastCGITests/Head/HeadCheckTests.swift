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
        #expect(head.keepsConnection && !head.isAuthorizer && head.suitsLibrary && head.requestID == 1)
        #expect(result.pairs.map(\.0) == ["REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR", "X"])
        let headLength = FastCGIRecord.head("GET", "/a", [("X", "1")]).count
        for length in 0..<headLength { #expect(check(Array(bytes.prefix(length))).isIncomplete) }
        for length in headLength..<bytes.count {
            #expect(check(Array(bytes.prefix(length))).head?.suitsLibrary == false)
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
        #expect(result.head?.body == .complete)
    }

    @Test("padding where libfcgi would parse it is kept from libfcgi", arguments: [1, 2], 0..<5)
    func paddingForLibrary(role: UInt16, place: Int) {
        var records = [
            FastCGIRecord.begin(role: role), FastCGIRecord(Kind.params, FastCGIRecord.pairs([("A", "1")])),
            FastCGIRecord(Kind.params), FastCGIRecord(Kind.stdin, [1]), FastCGIRecord(Kind.stdin),
        ]
        records[place].padding = 8
        let head = check(records.flatMap(\.bytes)).head
        // libfcgi passes over the padding of records with content.
        #expect(head?.suitsLibrary == [1, 3].contains(place))
        #expect(head?.body == .complete)
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
        #expect(check(head).head?.suitsLibrary == true)
        #expect(check(head + FastCGIRecord(Kind.stdin).bytes).head?.isAuthorizer == true)
    }

    @Test("is refused before libfcgi sees it", arguments: HostileBytes.heads)
    func refuses(hostile: HostileBytes) {
        #expect(check(hostile.bytes).refusal.map { "\($0)" } == hostile.reason)
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

    @Test("a hostile peer loses its connection, and a good one beside it sees nothing", arguments: HostileBytes.heads)
    func server(hostile: HostileBytes) throws {
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
