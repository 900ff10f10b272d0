/// A bare connection to a Redis server or proxy: bytes out, bytes in, with a deadline on every wait.
///
/// For one thread at a time.
public final class RedisLine {
    private let socket: StreamSocket
    private var pending: [UInt8] = []

    /// To a port of 127.0.0.1.
    public init(port: Int) throws {
        socket = try StreamSocket(port: UInt16(port))
    }

    /// To a unix socket.
    public init(unix path: String) throws {
        socket = try StreamSocket(unix: path, within: 0)
    }

    /// Sends an inline command: words with blanks between, without a line end.
    public func send(_ command: String) throws {
        try socket.send(Array((command + "\r\n").utf8))
    }

    /// Reads so many bytes of replies; fewer if the connection ends before.
    ///
    /// - Throws: ``TestFailure`` if they do not come within 10 s.
    public func receive(_ count: Int) throws -> String {
        while pending.count < count {
            let bytes = try socket.receive()
            if bytes.isEmpty { break }
            pending += bytes
        }
        defer { pending.removeFirst(min(count, pending.count)) }
        return String(decoding: pending.prefix(count), as: UTF8.self)
    }
}
