import Glibc

/// A raw FastCGI client: it sends any bytes and reads what comes, with a deadline on every wait.
///
/// For one thread at a time.
public final class FastCGIClient: @unchecked Sendable {
    public typealias Failure = TestFailure

    private let socket: StreamSocket
    private var pending: [UInt8] = []
    /// Something that lives at least as long as the client, such as the server it speaks to.
    public var companion: AnyObject?

    /// Connects to a unix socket; waits for one that is not there yet.
    public init(unix path: String, within seconds: Double = 10) throws {
        socket = try StreamSocket(unix: path, within: seconds)
    }

    /// Connects to a port of 127.0.0.1.
    public init(port: UInt16) throws {
        socket = try StreamSocket(port: port)
    }

    /// The connection's descriptor; -1 after ``abort()``.
    public var fd: Int32 { socket.fd }

    /// Longest wait for one read or write, in milliseconds.
    public var timeout: Int32 {
        get { socket.timeout }
        set { socket.timeout = newValue }
    }

    // MARK: Sending

    public func send(_ bytes: [UInt8]) throws {
        try socket.send(bytes)
    }

    /// Sends it by writes of `size` bytes each, so that the server sees every boundary.
    public func send(_ bytes: [UInt8], inPiecesOf size: Int) throws {
        for start in stride(from: 0, to: bytes.count, by: size) {
            try socket.send(Array(bytes[start..<min(start + size, bytes.count)]))
        }
    }

    /// Sends as much as the socket takes at once; returns how much.
    public func sendSome(_ bytes: [UInt8]) -> Int {
        socket.sendSome(bytes[...])
    }

    /// No more will be sent.
    public func closeSending() {
        socket.closeSending()
    }

    /// Vanishes: closes at once, and by TCP with RST. Nothing can be done with the client afterwards.
    public func abort() {
        socket.reset()
    }

    // MARK: Receiving

    /// Reads the answer to one request; it ends at END_REQUEST or when the server closes.
    public func reply() throws -> FastCGIReply {
        var reply = FastCGIReply()
        while let header = try take(8) {
            let length = Int(header[4]) << 8 | Int(header[5])
            guard let content = try take(length), try take(Int(header[6])) != nil else { return reply }
            reply.ids.insert(UInt16(header[2]) << 8 | UInt16(header[3]))
            switch header[1] {
            case FastCGIRecord.Kind.stdout: reply.output += content
            case FastCGIRecord.Kind.stderr: reply.errors += content
            case FastCGIRecord.Kind.end:
                guard length == 8 else { throw Failure(description: "END_REQUEST of \(length) bytes") }
                reply.protocolStatus = content[4]
                return reply
            default: throw Failure(description: "record of type \(header[1])")
            }
        }
        return reply
    }

    /// Reads one record, whatever it is.
    public func record() throws -> (type: UInt8, id: UInt16, content: [UInt8]) {
        guard let header = try take(8), let content = try take(Int(header[4]) << 8 | Int(header[5])),
            try take(Int(header[6])) != nil
        else { throw Failure(description: "the connection was closed") }
        return (header[1], UInt16(header[2]) << 8 | UInt16(header[3]), content)
    }

    /// Sends a whole request and reads its answer.
    public func exchange(
        _ method: String = "GET",
        _ uri: String = "/",
        keep: Bool = true,
        body: [UInt8] = [],
        _ more: [(String, String)] = []
    ) throws -> FastCGIReply {
        try send(FastCGIRecord.request(method, uri, keep: keep, body: body, more))
        return try reply()
    }

    /// Whether the server closes the connection, reading away what it still sends.
    public func isClosedByServer(within milliseconds: Int32 = 10_000) throws -> Bool {
        let deadline = monotonicSeconds() + Double(milliseconds) / 1000
        while true {
            let left = Int32(max(0, (deadline - monotonicSeconds()) * 1000))
            guard let bytes = try? socket.receive(within: left) else { return false }
            if bytes.isEmpty { return true }
        }
    }

    /// Exactly `count` bytes, or nil if the server closes before.
    private func take(_ count: Int) throws -> [UInt8]? {
        while pending.count < count {
            let bytes = try socket.receive()
            if bytes.isEmpty { return nil }
            pending += bytes
        }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }
}
