import CFastCGI
import Glibc
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
                let isRead = library.read(Self.records([1, 1, 0x41, 0x42]), answeringTo: ours)
                #expect(isRead)
                #expect(FCGX_GetChar(library.input) == -1)
                let isFinished = library.finish()
                #expect(isFinished)
                #expect(Self.isOpen(ours))
            }
        }
    }

    @Test func afterMemoryItReadsOnFromTheConnection() throws {
        try ProtocolLibrary.start()
        try Self.withPair { ours, theirs in
            var library = ProtocolLibrary()
            let body: [UInt8] = [1, 5, 0, 1, 0, 3, 5, 0, 0x61, 0x62, 0x63, 0, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0]
            #expect(send(theirs, body, body.count, 0) == body.count)
            let isRead = library.read(Self.records([]), thenFrom: ours, answeringTo: ours)
            #expect(isRead)
            let read = (0..<4).map { _ in FCGX_GetChar(library.input) }
            #expect(read == [0x61, 0x62, 0x63, -1])
            let isFinished = library.finish()
            #expect(isFinished)
        }
    }

    @Test(arguments: [[], [1], [9, 1, 0, 1, 0, 8, 0, 0], [1, 1, 0, 1, 0, 8, 0, 0, 0, 1]] as [[UInt8]])
    func whatItCannotReadIsRefusedAndTheConnectionLeftOpen(_ records: [UInt8]) throws {
        try ProtocolLibrary.start()
        try Self.withPair { ours, _ in
            var library = ProtocolLibrary()
            let isRead = library.read(records, answeringTo: ours)
            #expect(!isRead)
            #expect(Self.isOpen(ours))
            // The next request of the same port is not touched by it.
            let isNextRead = library.read(Self.records([]), answeringTo: ours)
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
        let isRead = library.read(Self.records([]), answeringTo: pair[0])
        #expect(isRead)
        close(pair[1])
        FCGX_PutS("message", library.errors)
        let isFinished = library.finish()
        #expect(!isFinished)
    }
}
