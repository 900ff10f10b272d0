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

    /// Sends a command as clients do: words of any bytes.
    public func send(words: [String]) throws {
        try socket.send(Self.command(words))
    }

    /// Sends these bytes.
    public func send(bytes: [UInt8]) throws {
        try socket.send(bytes)
    }

    /// The bytes of a command.
    public static func command(_ words: [String]) -> [UInt8] {
        Array("*\(words.count)\r\n".utf8) + words.flatMap { Array("$\($0.utf8.count)\r\n\($0)\r\n".utf8) }
    }

    /// Sends a command and reads its reply.
    public func ask(_ words: String...) throws -> String {
        try send(words: words)
        return try reply()
    }

    /// Reads one reply that is no array: `+OK`, `:1`, `-ERR …`; of a bulk string its content, `nil` without one. Empty at the end of
    /// the connection.
    ///
    /// - Throws: ``TestFailure`` if it does not come within 10 s.
    public func reply() throws -> String {
        var line = ""
        while !line.hasSuffix("\r\n") {
            let next = try receive(1)
            guard !next.isEmpty else { return line }
            // Character by character CR LF would be one.
            line = String(decoding: Array(line.utf8) + Array(next.utf8), as: UTF8.self)
        }
        line.removeLast()
        guard line.hasPrefix("$"), let count = Int(line.dropFirst()) else { return line }
        return count < 0 ? "nil" : String(try receive(count + 2).dropLast())
    }

    /// Whether a reply or the end has come within so long.
    public func hasReply(within milliseconds: Int32) -> Bool {
        if !pending.isEmpty { return true }
        guard let bytes = try? socket.receive(within: milliseconds) else { return false }
        pending += bytes
        return true
    }

    /// Closes it.
    public func close() {
        socket.reset()
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
