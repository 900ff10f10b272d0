import CFastCGI
import Glibc
import TestSupport
import Testing

@testable import FastCGI

/// libfcgi on a port in memory, with CFastCGIHost as its operating system.
@Suite struct LibraryRequestTests {
    /// A head of these parameters, as records.
    private static func records(_ parameters: [UInt8]) -> [UInt8] {
        var records = RecordBuffer()
        ([0, 1, 1, 0, 0, 0, 0, 0] as [UInt8]).withUnsafeBytes {
            records.appendRecord(RecordHeader.Kind.beginRequest, id: 1, $0)
        }
        parameters.withUnsafeBytes { records.appendRecords(RecordHeader.Kind.params, id: 1, $0) }
        records.appendRecordHeader(RecordHeader.Kind.params, id: 1, 0)
        return Array(records.bytes)
    }

    @Test func itCallsOurFunctions() throws {
        try LibraryRequest.start()
    }

    @Test func itTouchesNoSignal() throws {
        let numbers = [SIGPIPE, SIGUSR1, SIGTERM]
        let handlers = {
            numbers.map { number in
                var action = sigaction()
                sigaction(number, nil, &action)
                return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            }
        }
        let before = handlers()
        #expect(FCGX_Init() == 0)
        #expect(handlers() == before)
    }

    @Test func itReadsOneRequestAfterAnother() throws {
        try LibraryRequest.start()
        var request = LibraryRequest()
        for count in 0..<20 {
            let isRead = Self.records([1, 1, 0x41, UInt8(0x42 + count)]).withUnsafeBytes { request.read($0) }
            #expect(isRead)
            let value = ([0x41] as [UInt8]).withUnsafeBytes { request.parameters.value(of: $0) }
            #expect(value.map(Array.init) == [UInt8(0x42 + count)])
            if count % 3 == 0 { request.close() }
        }
    }

    @Test func manyRequestsAreReadAtATime() throws {
        try LibraryRequest.start()
        var contexts: [RequestContext] = []
        for number in 0..<5000 {
            let context = RequestContext(Server.Configuration())
            let value = Array("\(number)".utf8)
            ([1, UInt8(value.count), 0x4e] + value).withUnsafeBytes { context.append($0) }
            try context.readParameters(atMost: 10)
            contexts.append(context)
        }
        for (number, context) in contexts.enumerated() { #expect(context.string(of: "N") == "\(number)") }
    }

    @Test func parametersAreFoundByTheirWholeNames() throws {
        try LibraryRequest.start()
        let context = RequestContext(Server.Configuration())
        for (name, value) in [("AB", "1"), ("ABC", "2"), ("A", ""), ("AB", "3"), ("B", "x=y"), ("", "nameless")] {
            ([UInt8(name.utf8.count), UInt8(value.utf8.count)] + Array(name.utf8) + Array(value.utf8))
                .withUnsafeBytes { context.append($0) }
        }
        try context.readParameters(atMost: 10)
        #expect(context.string(of: "A") == "")
        #expect(context.string(of: "AB") == "1")
        #expect(context.string(of: "ABC") == "2")
        #expect(context.string(of: "ABCD") == nil)
        #expect(context.string(of: "B") == "x=y")
        #expect(context.string(of: "B=x") == nil)
        #expect(context.string(of: "") == nil)
        #expect(context.string(of: "FCGI_ROLE") == nil)
        var all: [String] = []
        Array("AB".utf8).withUnsafeBytes { name in
            context.parameters.forEachValue(of: name) { all.append(String(decoding: $0, as: UTF8.self)) }
        }
        #expect(all == ["1", "3"])
    }

    // Within libfcgi's buffer, around it, around a record of STDIN, and in a file.
    @Test(arguments: [0, 1, 7, 8_000, 8_192, 9_000, 65_527, 65_528, 65_529, 65_536, 65_537, 200_000])
    func aBodyIsReadBehindTheHead(_ count: Int) throws {
        try LibraryRequest.start()
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let exchange = Exchange(Server.Configuration())
        let request = FastCGIRecord.request("POST", "/", body: body)
        let progress = request.withUnsafeBytes { exchange.take($0).1 }
        guard case .complete = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect((exchange.spool.disk != nil) == (count > BodySpool.memoryThreshold))
        exchange.context.begin(exchange.spool, id: exchange.check.requestID, failure: nil, connection: -1)
        let read = try RequestBody(context: exchange.context).collect()
        #expect(read == body)
    }

    @Test(arguments: [[], [1], [9, 1, 0, 1, 0, 8, 0, 0], [1, 1, 0, 1, 0, 8, 0, 0, 0, 1]] as [[UInt8]])
    func whatItCannotReadIsRefused(_ records: [UInt8]) throws {
        try LibraryRequest.start()
        var request = LibraryRequest()
        let isRead = records.withUnsafeBytes { request.read($0) }
        #expect(!isRead)
        // The next request is not touched by it.
        let isNextRead = Self.records([]).withUnsafeBytes { request.read($0) }
        #expect(isNextRead)
    }
}
