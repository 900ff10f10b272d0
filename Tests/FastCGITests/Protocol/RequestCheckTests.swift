import TestSupport
import Testing

@testable import FastCGI

/// What the check says of some bytes, fed in pieces, and what it hands on.
struct CheckedRequest: Equatable {
    var parameters: [UInt8] = []
    var body: [UInt8] = []
    var management: [ManagementRecord] = []
    var hasHead = false
    var isComplete = false
    var refusal: RequestCheck.Refusal?
    /// Bytes of the request; what is left belongs to the next one.
    var length = 0
    /// The refusal came with this many bytes.
    var given = 0

    init(_ bytes: [UInt8], size: Int = .max, maxHeadBytes: Int = 65_536) {
        var check = RequestCheck(maxHeadBytes: maxHeadBytes)
        while given < bytes.count, !isComplete, refusal == nil {
            let piece = Array(bytes[given..<min(bytes.count, given + min(size, bytes.count))])
            given += piece.count
            piece.withUnsafeBytes { take($0, &check) }
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ check: inout RequestCheck) {
        var offset = 0
        defer { length += offset }
        do throws(RequestCheck.Refusal) {
            while true {
                switch try check.next(bytes, &offset) {
                case .moreBytes: return
                case .parameters(let range): parameters += bytes[range]
                case .headEnd: hasHead = true
                case .body(let range): body += bytes[range]
                case .management(let record): management.append(record)
                case .end:
                    isComplete = true
                    return
                }
            }
        } catch {
            refusal = error
        }
    }

    /// Names and values as libfcgi reads them, or why they were refused.
    func pairs(atMost limit: Int = 1000) throws -> [(String, String)] {
        try LibraryRequest.start()
        let context = RequestContext(Server.Configuration())
        parameters.withUnsafeBytes { context.append($0) }
        try context.readParameters(atMost: limit)
        var pairs: [(String, String)] = []
        context.parameters.forEach { name, value in
            pairs.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
        return pairs
    }

    static func == (left: CheckedRequest, right: CheckedRequest) -> Bool {
        left.parameters == right.parameters && left.body == right.body && left.management == right.management
            && left.hasHead == right.hasHead
            && left.isComplete == right.isComplete && left.refusal == right.refusal && left.length == right.length
    }
}

@Suite("The check of a request's records")
struct RequestCheckTests {
    typealias Kind = FastCGIRecord.Kind

    @Test("a plain request passes, and no prefix of it is complete or refused")
    func plainRequest() throws {
        let bytes = FastCGIRecord.request("GET", "/a", [("X", "1")])
        let whole = CheckedRequest(bytes)
        #expect(whole.isComplete && whole.length == bytes.count)
        #expect(try whole.pairs().map(\.0) == ["REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR", "X"])
        let headLength = FastCGIRecord.head("GET", "/a", [("X", "1")]).count
        for length in 0..<bytes.count {
            let part = CheckedRequest(Array(bytes.prefix(length)))
            #expect(part.refusal == nil && !part.isComplete)
            #expect(part.hasHead == (length >= headLength))
        }
    }

    @Test("where the network cuts it changes nothing", arguments: [1, 2, 7, 8, 9, 100])
    func cuts(size: Int) {
        let body = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var bytes = FastCGIRecord.head("POST", "/a", contentLength: 1000)
        bytes += FastCGIRecord(Kind.stdin, Array(body[..<300]), padding: 255).bytes
        bytes += FastCGIRecord.stream(Kind.stdin, Array(body[300...]), size: 97).dropLast(8)
        bytes += FastCGIRecord(Kind.stdin, padding: 5).bytes
        #expect(!CheckedRequest(Array(bytes.dropLast()), size: size).isComplete)
        let whole = CheckedRequest(bytes, size: size)
        #expect(whole.body == body && whole.isComplete)
        #expect(whole == CheckedRequest(bytes))
    }

    @Test("pairs may straddle records of any size", arguments: [1, 2, 3, 7, 64])
    func straddlingRecords(size: Int) throws {
        let value = String(repeating: "v", count: 300)
        let content = FastCGIRecord.pairs([("A", "1"), ("LONG", value), ("", "empty name"), ("EMPTY", "")])
        let bytes = FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, content, size: size)
        let pairs = try CheckedRequest(bytes).pairs()
        #expect(pairs.map(\.0) == ["A", "LONG", "", "EMPTY"])
        #expect(pairs.map(\.1) == ["1", value, "empty name", ""])
    }

    @Test("padding is passed over, 255 bytes of it too, wherever it stands")
    func padding() throws {
        var begin = FastCGIRecord.begin()
        begin.padding = 255
        let params = FastCGIRecord(Kind.params, FastCGIRecord.pairs([("A", "1")]), padding: 255)
        let end = FastCGIRecord(Kind.params, padding: 255)
        let body = FastCGIRecord(Kind.stdin, padding: 255)
        let bytes = begin.bytes + params.bytes + end.bytes + body.bytes
        let result = CheckedRequest(bytes, size: 13)
        #expect(try result.pairs().map(\.1) == ["1"])
        #expect(result.isComplete && result.length == bytes.count)
    }

    @Test("what follows its end belongs to the next request", arguments: [0, 1, 8, 100])
    func following(count: Int) {
        let request = FastCGIRecord.request("POST", "/", body: [1, 2, 3])
        let result = CheckedRequest(request + [UInt8](repeating: 1, count: count))
        #expect(result.isComplete && result.length == request.count && result.refusal == nil)
    }

    @Test("duplicate names are all kept, in order")
    func duplicates() throws {
        let head = FastCGIRecord.head("GET", "/", [("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2")])
        #expect(try CheckedRequest(head).pairs().filter { $0.0 == "HTTP_COOKIE" }.map(\.1) == ["a=1", "b=2"])
    }

    @Test("no parameters at all is a sane head")
    func noParameters() throws {
        let result = CheckedRequest(FastCGIRecord.begin().bytes + FastCGIRecord(Kind.params).bytes)
        #expect(result.hasHead)
        #expect(try result.pairs().isEmpty)
    }

    @Test("is refused before libfcgi sees it, however it is cut", arguments: HostileBytes.heads, [1, 8, Int.max])
    func refuses(hostile: HostileBytes, size: Int) {
        let result = CheckedRequest(hostile.bytes, size: size)
        var refusal = result.refusal
        if refusal == nil {
            do { _ = try result.pairs() } catch { refusal = error as? RequestCheck.Refusal }
        }
        #expect(refusal.map { "\($0)" } == hostile.reason)
    }

    @Test(
        "what must not stand inside a body is refused, however it is cut", arguments: HostileBytes.bodies, [1, 8, .max])
    func refusesBody(hostile: HostileBytes, size: Int) {
        let result = CheckedRequest(FastCGIRecord.head("POST", "/") + hostile.bytes, size: size)
        #expect(result.refusal.map { "\($0)" } == hostile.reason)
    }

    @Test("parameters over the limit are refused as soon as that is certain")
    func tooLarge() {
        let large = FastCGIRecord.pairs([("BIG", String(repeating: "x", count: 70_000))])
        let bytes = FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, large)
        #expect(CheckedRequest(bytes).refusal == .tooLarge)
        #expect(CheckedRequest(Array(bytes.prefix(100))).refusal == .tooLarge)
        #expect(CheckedRequest(FastCGIRecord.head("GET", "/" + String(repeating: "x", count: 60_000))).hasHead)
    }

    @Test("the limit counts headers and padding, and is exact")
    func headLimit() {
        let head = FastCGIRecord.head("GET", "/a")
        #expect(CheckedRequest(head, maxHeadBytes: head.count).hasHead)
        #expect(CheckedRequest(head, maxHeadBytes: head.count - 1).refusal == .tooLarge)
        let padded = FastCGIRecord.begin().bytes + FastCGIRecord(Kind.params, [1, 0, 65], padding: 255).bytes
        #expect(CheckedRequest(padded, maxHeadBytes: 100).refusal == .tooLarge)
    }

    @Test("the limit on parameters is exact")
    func parameterLimit() throws {
        let pairs = FastCGIRecord.pairs((0..<5).map { ("N\($0)", "") })
        let request = CheckedRequest(FastCGIRecord.begin().bytes + FastCGIRecord.stream(Kind.params, pairs))
        #expect(try request.pairs(atMost: 5).count == 5)
        #expect(throws: RequestCheck.Refusal.tooMany) { try request.pairs(atMost: 4) }
    }

    @Test("a body that is nothing but padding ends; one of a byte a record, padded, is a body")
    func paddingFlood() {
        let padded = FastCGIRecord(Kind.stdin, [1], padding: 255).bytes
        let flood = FastCGIRecord.head("POST", "/") + (0..<1000).flatMap { _ in padded }
        let refused = CheckedRequest(flood, size: 4096)
        #expect(refused.refusal == .padding)
        #expect(refused.given < 100_000)
        let drip = FastCGIRecord(Kind.stdin, [1], padding: 7).bytes
        let slow = FastCGIRecord.head("POST", "/") + (0..<20_000).flatMap { _ in drip }
        #expect(CheckedRequest(slow + FastCGIRecord(Kind.stdin).bytes).isComplete)
    }
}

@Suite("Hostile records at a running server")
struct HostileRecordsTests {
    @Test("a hostile peer loses its connection, and a good one beside it sees nothing", arguments: HostileBytes.heads)
    func heads(hostile: HostileBytes) throws {
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

    @Test("reaches neither libfcgi nor a handler when it comes after the head", arguments: HostileBytes.bodies)
    func bodies(body: HostileBytes) throws {
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
