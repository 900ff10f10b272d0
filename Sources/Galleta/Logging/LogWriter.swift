internal import GalletaPlatform
internal import Glibc
package import Logging
internal import Synchronization

/// Lines on a descriptor, written by a thread of its own: whoever logs never waits for whoever reads the log.
///
/// Lines gather while the descriptor does not take them; beyond `limit` further ones are dropped and counted. What a
/// call of write(2) refuses (nobody reads, no space) is lost and counted as well, and later lines are tried again. A
/// line that says how many are missing follows as soon as one gets through. Lines of several threads and processes do
/// not mix: they are written in whole ones, up to 4,096 bytes at a time (PIPE_BUF).
///
/// Cost of a line: a lock and a copy; a wake-up only while nothing else is logged, at most one in a millisecond.
/// Threading: usable from any thread. The writing thread lives as long as the process.
package final class LogWriter: Sendable {
    /// The process's log. Its last lines go out when the process ends by `exit` or by the end of `main`.
    package static let standardError: LogWriter = {
        atexit { LogWriter.standardError.flush() }
        return LogWriter(descriptor: 2)
    }()

    private struct State {
        /// Whole lines that the thread has not taken yet.
        var waiting: [UInt8] = []
        /// Bytes of what it has taken and not finished.
        var inFlight = 0
        /// Lines that found no room since the thread last took some.
        var dropped = 0
        /// Those of which a line has told before, too.
        var allDropped = 0
        /// Lines that the descriptor refused, and how often it did.
        var lost = 0
        var failures = 0
        var isStarted = false
        /// The thread waits for a line, however long it takes.
        var isAsleep = false
        /// Somebody waits for the end of what has gathered.
        var isFlushing = false

        var isEmpty: Bool { waiting.isEmpty && inFlight == 0 }
    }

    /// What the thread did not get written so far; its alone.
    private struct Loss {
        var lines = 0
        var code: Int32 = 0
        /// The descriptor took the beginning of a line and then no more.
        var isMidLine = false
    }

    private let descriptor: Int32
    private let limit: Int
    private let monitor = Monitor(State())
    /// The level that was set for all who write here; -1 for none.
    private let commonLevel = Atomic<Int>(-1)

    /// The level below which nothing is written, whatever each handler has; nil leaves it to them.
    package var level: Logger.Level? {
        get {
            let index = commonLevel.load(ordering: .relaxed)
            return index < 0 ? nil : Logger.Level.allCases[index]
        }
        set {
            commonLevel.store(newValue.flatMap { Logger.Level.allCases.firstIndex(of: $0) } ?? -1, ordering: .relaxed)
        }
    }

    /// The file whose end the descriptor is at, where it is one that this object has opened.
    private let path: String?

    /// Lines at the end of a file, which is made if it is not there (mode 0640).
    ///
    /// - Throws: `ConfigurationError` of the field `logFile`.
    package init(file path: String, limit: Int = 1 << 20) throws(ConfigurationError) {
        self.path = path
        self.limit = limit
        descriptor = try Self.open(path)
    }

    deinit {
        if path != nil { close(descriptor) }
    }

    /// As ``init(file:limit:)``; its last lines go out when the process ends by `exit` or by the end of `main`.
    package static func ofProcess(file path: String) throws(ConfigurationError) -> LogWriter {
        let writer = try LogWriter(file: path)
        processFile.withLock { $0 = writer }
        atexit { LogWriter.processFile.withLock { $0 }?.flush() }
        return writer
    }

    private static let processFile = Locked<LogWriter?>(nil)

    private static func open(_ path: String) throws(ConfigurationError) -> Int32 {
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else {
            throw ConfigurationError(
                field: "logFile", reason: "\(path) cannot be opened: \(String(cString: strerror(errno)))",
                remedy: "make its folder, and give the process's user the right to write there")
        }
        return descriptor
    }

    /// Opens the file again by its name: it was moved away. Lines that wait go to the new one.
    ///
    /// - Throws: `ConfigurationError`; the old file stays in use then.
    package func reopen() throws(ConfigurationError) {
        guard let path else { return }
        let fresh = try Self.open(path)
        // In one step: whoever writes at this moment finds the one file or the other.
        dup2(fresh, descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        close(fresh)
    }

    /// - Parameters:
    ///   - limit: Bytes that may wait.
    package init(descriptor: Int32, limit: Int = 1 << 20) {
        self.descriptor = descriptor
        self.limit = limit
        path = nil
    }

    /// Has a line written, which ends with a line break and has no other.
    package func write(_ line: String) {
        var line = line
        let (mustStart, mustWake) = monitor.withLock { state in
            let isTaken = line.withUTF8 { bytes in
                guard state.waiting.count + state.inFlight + bytes.count <= limit else { return false }
                state.waiting.append(contentsOf: bytes)
                return true
            }
            if !isTaken {
                state.dropped += 1
                state.allDropped += 1
            }
            defer { (state.isStarted, state.isAsleep) = (true, false) }
            return (!state.isStarted, state.isAsleep)
        }
        if mustStart { start() }
        if mustWake { monitor.wake() }
    }

    /// How many lines were dropped because the descriptor did not take them in time, or refused them.
    package var droppedLines: Int { monitor.withLock { $0.allDropped + $0.lost } }

    /// How often the descriptor has refused lines: a full disk, say.
    package var writeFailures: Int { monitor.withLock { $0.failures } }

    private func noteFailure(_ lines: Int) {
        monitor.withLock { state in
            state.failures += 1
            state.lost += lines
        }
    }

    /// Waits until all that was handed over is written or lost.
    ///
    /// - Parameter timeout: After it, what is left is given up if the process ends now.
    package func flush(within timeout: Duration = .seconds(1)) {
        monitor.withLock { $0.isFlushing = true }
        monitor.wake()
        monitor.wait(until: \.isEmpty, timeout: timeout) { $0.isFlushing = false }
    }

    // MARK: The thread

    private func start() {
        do {
            _ = try SystemThread(name: "log") { [self] in
                var loss = Loss()
                while true {
                    emitAll(&loss)
                    // What comes within a millisecond goes out together, and needs no wake-up.
                    monitor.wait(until: \.isFlushing, timeout: .milliseconds(1)) { state in
                        if state.waiting.isEmpty { state.isAsleep = true }
                    }
                    monitor.wait(until: { !$0.isAsleep }) { _ in }
                }
            }
        } catch {
            // No thread to be had: better a log that may hold up than none, as the reason is likely to be the next line.
            var loss = Loss()
            emitAll(&loss)
            monitor.withLock { $0.isStarted = false }
        }
    }

    private func emitAll(_ loss: inout Loss) {
        while let (lines, dropped) = take() {
            emit(lines, dropped, &loss)
            let isFlushing = monitor.withLock { state in
                state.inFlight = 0
                return state.isFlushing
            }
            if isFlushing { monitor.wake() }
        }
    }

    private func take() -> (lines: [UInt8], dropped: Int)? {
        monitor.withLock { state in
            guard !state.waiting.isEmpty || state.dropped > 0 else { return nil }
            let taken = (state.waiting, state.dropped)
            state.inFlight = state.waiting.count
            (state.waiting, state.dropped) = ([], 0)
            return taken
        }
    }

    private func emit(_ lines: [UInt8], _ dropped: Int, _ loss: inout Loss) {
        if loss.lines > 0 {
            let reason = String(cString: strerror(loss.code))
            let text =
                "\(loss.lines) lines of the log are missing here: descriptor \(descriptor) refused them: \(reason)"
            let start = loss.isMidLine ? "\n" : ""
            guard put(Array((start + LineLogHandler.line(.warning, text)).utf8)) == nil else {
                let count = Self.count(lines[...])
                loss.lines += count + dropped
                noteFailure(count)
                return
            }
            loss = Loss()
        }
        if let (rest, code) = put(lines) {
            let isMidLine = rest.startIndex > 0 && lines[rest.startIndex - 1] != UInt8(ascii: "\n")
            noteFailure(Self.count(rest))
            loss = Loss(lines: Self.count(rest) + dropped, code: code, isMidLine: isMidLine)
            return
        }
        guard dropped > 0 else { return }
        let text = "\(dropped) lines of the log were dropped here: descriptor \(descriptor) did not take them in time"
        if let (_, code) = put(Array(LineLogHandler.line(.warning, text).utf8)) {
            noteFailure(0)
            loss = Loss(lines: dropped, code: code)
        }
    }

    private static func count(_ lines: ArraySlice<UInt8>) -> Int {
        lines.count { $0 == UInt8(ascii: "\n") }
    }

    /// Writes whole lines. Waits where the descriptor is full, whether it is set to block or not.
    ///
    /// - Returns: What was refused, and the errno; nil if nothing was.
    private func put(_ lines: [UInt8]) -> (rest: ArraySlice<UInt8>, code: Int32)? {
        var rest = lines[...]
        while !rest.isEmpty {
            let piece = Self.piece(rest)
            let count = piece.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
            if count > 0 {
                rest.removeFirst(count)
            } else if errno == EAGAIN {
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&room, 1, -1)
            } else if errno != EINTR {
                return (rest, errno)
            }
        }
        return nil
    }

    /// As many whole lines as a pipe takes at once, at least one.
    private static func piece(_ lines: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard lines.count > Int(PIPE_BUF) else { return lines }
        let newline = UInt8(ascii: "\n")
        let end = lines.prefix(Int(PIPE_BUF)).lastIndex(of: newline) ?? lines.firstIndex(of: newline)
        return lines[...(end ?? lines.endIndex - 1)]
    }
}
