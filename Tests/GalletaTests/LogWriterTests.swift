import Foundation
import Galleta
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@Suite("The log's writer")
struct LogWriterTests {
    @Test("lines come in order, and all of them", arguments: [true, false])
    func order(isBlocking: Bool) {
        let pipe = LogPipe(isBlocking: isBlocking)
        let writer = LogWriter(descriptor: pipe.writing)
        let expected = (0..<5000).map { "line \($0)" }
        for line in expected { writer.write(line + "\n") }
        #expect(pipe.lines { $0.count == expected.count } == expected.map { $0[...] })
    }

    @Test("a single line is written at once, without a flush")
    func single() {
        let pipe = LogPipe()
        let writer = LogWriter(descriptor: pipe.writing)
        for number in 1...3 {
            writer.write("line \(number)\n")
            #expect(pipe.lines { $0.count == 1 } == ["line \(number)"])
        }
    }

    @Test("lines of several threads and of several writers stay whole")
    func whole() throws {
        let pipe = LogPipe()
        let writers = [LogWriter(descriptor: pipe.writing), LogWriter(descriptor: pipe.writing)]
        let threads = try (0..<4).map { thread in
            try SystemThread(name: "lines") {
                for _ in 0..<500 { writers[thread % 2].write(Self.long(thread) + "\n") }
            }
        }
        let lines = pipe.lines { $0.count == 2000 }
        #expect(lines.count == 2000)
        for thread in 0..<4 { #expect(lines.count { $0 == Self.long(thread) } == 500) }
        for thread in threads { #expect(thread.join(timeout: .seconds(10))) }
    }

    private static func long(_ thread: Int) -> String { String(repeating: "\(thread)", count: 150 + thread * 100) }

    @Test("a reader that stalls costs nobody time: what does not fit is dropped, and told once it reads again")
    func stalled() throws {
        let pipe = LogPipe()
        let writer = LogWriter(descriptor: pipe.writing, limit: 20_000)
        let line = String(repeating: "x", count: 99) + "\n"
        for _ in 0..<100 { writer.write(line) }
        #expect(pipe.waitUntilFull())
        for _ in 0..<5000 { writer.write(line) }
        // Up to here nothing was read: the calls above did not wait for it.
        let lines = pipe.lines { Self.accounted($0) == 5100 }
        #expect(Self.accounted(lines) == 5100)
        let messages = lines.filter { $0.contains("lines of the log were dropped here") }
        // Two, if the writer came by while lines were dropped.
        #expect((1...2).contains(messages.count))
        #expect(lines.count < 1000)
        writer.write("after\n")
        #expect(pipe.lines { !$0.isEmpty } == ["after"])
    }

    /// Lines that came, and those that are said to be missing.
    private static func accounted(_ lines: [Substring]) -> Int {
        lines.reduce(0) { sum, line in
            guard line.contains("were dropped here") else { return sum + 1 }
            return sum + (line.split(separator: " ").lazy.compactMap { Int($0) }.first ?? 0)
        }
    }

    @Test("where nobody reads any more, lines are lost, and the caller goes on")
    func noReader() {
        let pipe = LogPipe()
        pipe.stopReading()
        let writer = LogWriter(descriptor: pipe.writing)
        for _ in 0..<1000 { writer.write("line\n") }
        writer.flush(within: .seconds(10))
    }

    @Test("where there is no space, lines are lost, counted, and tried again later")
    func noSpace() throws {
        let folder = try TemporaryFolder()
        let file = open(folder.file("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        // The writer's thread outlives this test: its number is never given back.
        let fd = fcntl(full, F_DUPFD_CLOEXEC, 0)
        let writer = LogWriter(descriptor: fd)
        for _ in 0..<10 {
            writer.write("lost\n")
            writer.flush(within: .seconds(10))
        }
        dup2(file, fd)
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        writer.write("found\n")
        writer.flush(within: .seconds(10))
        let lines = folder.read("log").split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.contains("10 lines of the log are missing here: descriptor \(fd) refused them") == true)
        #expect(lines.first?.hasSuffix("No space left on device") == true)
        #expect(lines.last == "found")
        dup2(full, fd)
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        close(file)
        close(full)
    }

    @Test("a flush waits for a stalled reader no longer than it is told")
    func flush() {
        let pipe = LogPipe()
        let writer = LogWriter(descriptor: pipe.writing)
        for _ in 0..<100 { writer.write(String(repeating: "x", count: 99) + "\n") }
        #expect(pipe.waitUntilFull())
        let start = BootInstant.now
        writer.flush(within: .milliseconds(200))
        #expect(start.duration(to: .now) >= .milliseconds(200))
        // The rest comes once it is read.
        #expect(pipe.lines { $0.count == 100 }.count == 100)
        writer.flush(within: .seconds(60))
        #expect(start.duration(to: .now) < .seconds(50))
    }

    @Test("a line break in a message or a value does not make another line")
    func lineBreaks() {
        let handler = LineLogHandler()
        #expect(handler.logLevel == .info)
        let pipe = LogPipe()
        let writer = LogWriter(descriptor: pipe.writing)
        var logger = Logger(label: "test") { _ in LineLogHandler(metadata: ["b": "2\r\n"], writer: writer) }
        logger[metadataKey: "a"] = "1\n1"
        logger.notice("two\nlines")
        let lines = pipe.lines { !$0.isEmpty }
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix(#" notice two\nlines a=1\n1 b=2\r\n"#) == true)
    }
}
