import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A log that nobody takes", .serialized)
struct LogFaultTests {
    /// Requests on one connection, each with a line in the access log.
    private func expectAnswers(_ count: Int, from server: GalletaProcess) throws {
        let client = try server.fastCGI()
        let request = FastCGIRecord.request("GET", "/app/ping")
        for _ in 0..<count {
            try client.send(request)
            #expect(try client.reply().text == "pong\n")
        }
    }

    @Test("a reader that stalls: all requests are answered, what was dropped is told when it reads on")
    func stalled() throws {
        let pipe = LogPipe()
        let server = try GalletaProcess(["--access-log"], errors: pipe.writing)
        // More than the queue and the pipe hold.
        try expectAnswers(20_000, from: server)
        #expect(pipe.waitUntilFull())
        let lines = pipe.lines { $0.last?.contains("were dropped here") == true }
        #expect(lines.last?.contains("were dropped here: descriptor 2 did not take them in time") == true)
        #expect(lines.contains { $0.contains("listening on") })
        #expect(lines.dropLast().allSatisfy { !$0.contains("/app/ping") || $0.hasSuffix(" id=-") })
        try expectAnswers(1, from: server)
        #expect(!pipe.lines { !$0.isEmpty }.isEmpty)
        #expect(server.process.stop() == 0)
    }

    @Test("a reader that stalls for good: a stop takes about a second longer, and ends with 0")
    func stalledAtStop() throws {
        let pipe = LogPipe()
        let server = try GalletaProcess(["--access-log"], errors: pipe.writing)
        try expectAnswers(1_000, from: server)
        #expect(pipe.waitUntilFull())
        #expect(server.process.stop(within: 15) == 0)
    }

    @Test("a reader that has gone: requests are answered all the same")
    func noReader() throws {
        let pipe = LogPipe()
        pipe.stopReading()
        let server = try GalletaProcess(["--access-log"], errors: pipe.writing)
        try expectAnswers(5_000, from: server)
        #expect(server.process.stop() == 0)
    }

    @Test("a full disk under the log: requests are answered all the same")
    func fullDisk() throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        defer { close(full) }
        let server = try GalletaProcess(["--access-log"], errors: full)
        try expectAnswers(5_000, from: server)
        #expect(server.process.stop() == 0)
    }

    @Test("descriptors that are closed at the start become no sockets", arguments: [[2], [0, 1, 2]] as [[Int32]])
    func closed(descriptors: [Int32]) throws {
        let server = try GalletaProcess(["--access-log"], closed: descriptors)
        try expectAnswers(100, from: server)
        for fd in descriptors {
            let target = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(server.process.pid)/fd/\(fd)")
            #expect(target == "/dev/null")
        }
        #expect(server.process.stop() == 0)
    }

    @Test("the reason of a failed start is told, in full, before the process ends")
    func failedStart() throws {
        let (code, output) = try ChildProcess.run(GalletaProcess.program, ["--listen", "unix:/nowhere/at/all.sock"])
        #expect(code == EX_UNAVAILABLE)
        #expect(output.contains("galleta-server: cannot listen on unix:/nowhere/at/all.sock"))
        #expect(output.hasSuffix("\n"))
    }
}
