import Glibc

/// A pipe that a log is written into.
public final class LogPipe {
    public let writing: Int32
    private var reading: Int32

    /// - Parameter bytes: How much it holds; a page at least.
    public init(holding bytes: Int32 = 4096, isBlocking: Bool = true) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
        // No program that another test starts meanwhile shall hold an end.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // F_SETPIPE_SZ
        _ = fcntl(writing, 1031, bytes)
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        if !isBlocking { _ = fcntl(writing, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        stopReading()
        // The writer's thread lives on, and may hold a write that waits: the number must not become another file's.
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        dup2(nowhere, writing)
        _ = fcntl(writing, F_SETFD, FD_CLOEXEC)
        close(nowhere)
    }

    /// The reader goes.
    public func stopReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    /// What has arrived, once `condition` holds for all of it.
    public func lines(until condition: ([Substring]) -> Bool) -> [Substring] {
        var text = [UInt8]()
        var buffer = [UInt8](repeating: 0, count: 65536)
        _ = eventually {
            while case let count = read(reading, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
            return condition(Self.split(text))
        }
        return Self.split(text)
    }

    /// Waits until the pipe holds something and takes no more.
    public func waitUntilFull() -> Bool {
        eventually {
            var room = pollfd(fd: writing, events: Int16(POLLOUT), revents: 0)
            return poll(&room, 1, 0) == 0
        }
    }

    private static func split(_ text: [UInt8]) -> [Substring] {
        String(decoding: text, as: UTF8.self).split(separator: "\n")
    }
}
