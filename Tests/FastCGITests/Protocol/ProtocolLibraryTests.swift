import CFastCGI
import Glibc
import TestSupport
import Testing

@testable import FastCGI

/// libfcgi on a port in memory, with CFastCGIHost as its operating system.
@Suite struct ProtocolLibraryTests {
    private static func records(_ parameters: [UInt8]) -> [UInt8] {
        var records: [UInt8] = []
        records.appendRecordHeader(RecordHeader.Kind.beginRequest, id: 1, 8)
        records += [0, 1, 1, 0, 0, 0, 0, 0]
        if !parameters.isEmpty {
            records.appendRecordHeader(RecordHeader.Kind.params, id: 1, parameters.count)
            records += parameters
            records.appendPadding(of: parameters.count)
        }
        records.appendRecordHeader(RecordHeader.Kind.params, id: 1, 0)
        return records
    }

    /// Two ends of a connection, closed at the end.
    private static func withPair(_ body: (Int32, Int32) throws -> Void) throws {
        var pair: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { pair.forEach { close($0) } }
        try body(pair[0], pair[1])
    }

    private static func isOpen(_ fd: Int32) -> Bool { fcntl(fd, F_GETFD) >= 0 }

    @Test func itCallsOurFunctions() throws {
        try ProtocolLibrary.start()
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

    @Test func aRequestInMemoryIsReadAndItsConnectionLeftOpen() throws {
        try ProtocolLibrary.start()
        try Self.withPair { ours, theirs in
            var library = ProtocolLibrary()
            for _ in 0..<3 {
                let isRead = Self.records([1, 1, 0x41, 0x42]).withUnsafeBytes { library.read($0, answeringTo: ours) }
                #expect(isRead)
                #expect(FCGX_GetChar(library.input) == -1)
                let isFinished = library.finish()
                #expect(isFinished)
                #expect(Self.isOpen(ours))
            }
        }
    }

    // Within libfcgi's buffer, around it, around a record of STDIN, and in a file.
    @Test(arguments: [0, 1, 7, 8_000, 8_192, 9_000, 65_527, 65_528, 65_529, 65_536, 65_537, 200_000])
    func aBodyIsReadBehindTheHead(_ count: Int) throws {
        try ProtocolLibrary.start()
        let body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let intake = Intake(Server.Configuration())
        let request = FastCGIRecord.request("POST", "/", body: body)
        let progress = request.withUnsafeBytes { intake.take($0).1 }
        guard case .complete = progress else {
            Issue.record("\(progress)")
            return
        }
        #expect((intake.spool.disk != nil) == (count > BodySpool.memoryThreshold))
        var library = ProtocolLibrary()
        let isRead = library.read(intake, answeringTo: -1)
        #expect(isRead)
        var read = [UInt8](repeating: 0, count: count + 10)
        let size = Int32(read.count)
        let got = read.withUnsafeMutableBytes {
            FCGX_GetStr($0.baseAddress!.assumingMemoryBound(to: CChar.self), size, library.input)
        }
        #expect(Int(got) == count && Array(read.prefix(count)) == body)
        let isFinished = library.finish()
        #expect(isFinished)
    }

    @Test(arguments: [[], [1], [9, 1, 0, 1, 0, 8, 0, 0], [1, 1, 0, 1, 0, 8, 0, 0, 0, 1]] as [[UInt8]])
    func whatItCannotReadIsRefusedAndTheConnectionLeftOpen(_ records: [UInt8]) throws {
        try ProtocolLibrary.start()
        try Self.withPair { ours, _ in
            var library = ProtocolLibrary()
            let isRead = records.withUnsafeBytes { library.read($0, answeringTo: ours) }
            #expect(!isRead)
            #expect(Self.isOpen(ours))
            // The next request of the same port is not touched by it.
            let isNextRead = Self.records([]).withUnsafeBytes { library.read($0, answeringTo: ours) }
            #expect(isNextRead)
            let isFinished = library.finish()
            #expect(isFinished)
        }
    }

    @Test func aPeerThatHasGoneIsAnErrorOfTheWriteAndNoSignal() throws {
        try ProtocolLibrary.start()
        var library = ProtocolLibrary()
        var pair: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { close(pair[0]) }
        let isRead = Self.records([]).withUnsafeBytes { library.read($0, answeringTo: pair[0]) }
        #expect(isRead)
        close(pair[1])
        FCGX_PutS("message", library.errors)
        let isFinished = library.finish()
        #expect(!isFinished)
    }
}
