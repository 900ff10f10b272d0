/// A kept connection to a web server on 127.0.0.1, speaking just enough HTTP/1.1, with a deadline on every wait.
///
/// For one thread at a time; parallel requests need a client each.
public final class HTTPClient: @unchecked Sendable {
    public typealias Failure = TestFailure

    private let socket: StreamSocket
    private let port: Int
    private var pending: [UInt8] = []

    public init(port: Int) throws {
        self.port = port
        socket = try StreamSocket(port: UInt16(port))
        socket.timeout = 20_000
    }

    /// Longest wait for one read or write, in milliseconds.
    public var timeout: Int32 {
        get { socket.timeout }
        set { socket.timeout = newValue }
    }

    public func get(_ path: String, _ headers: [String] = []) throws -> HTTPReply {
        try request("GET", path, headers)
    }

    public func post(_ path: String, form: [(String, String)], _ headers: [String] = []) throws -> HTTPReply {
        let body = form.map { "\($0.0)=\(Self.escape($0.1))" }.joined(separator: "&")
        return try request(
            "POST", path, headers + ["Content-Type: application/x-www-form-urlencoded"], body: Array(body.utf8))
    }

    /// - Parameter headers: Whole lines, each sent as it stands; the same name may come several times.
    public func request(
        _ method: String, _ path: String, _ headers: [String] = [], body: [UInt8]? = nil
    ) throws -> HTTPReply {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost:\(port)\r\n"
        for header in headers { head += header + "\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        try send(Array((head + "\r\n").utf8) + (body ?? []))
        return try reply(hasBody: method != "HEAD")
    }

    /// Sends any bytes: a request that ``request(_:_:_:body:)`` would not write. ``reply(hasBody:)`` reads its answer.
    public func send(_ bytes: [UInt8]) throws {
        try socket.send(bytes)
    }

    /// No more will be sent.
    public func closeSending() {
        socket.closeSending()
    }

    /// Vanishes with RST, as a browser does whose user moves on.
    public func abort() {
        socket.reset()
    }

    /// Reads one final answer; what is not HTTP, and a body that ends early, is a failure.
    ///
    /// - Parameter hasBody: False for the answer to HEAD.
    public func reply(hasBody: Bool = true) throws -> HTTPReply {
        var reply = HTTPReply()
        repeat { reply = try head() } while (100..<200).contains(reply.status)
        guard hasBody, reply.status != 204, reply.status != 304 else { return reply }
        if reply["Transfer-Encoding"]?.lowercased() == "chunked" {
            while case let size = try chunkSize(), size > 0 {
                reply.body += try take(size)
                guard try line().isEmpty else { throw Failure(description: "a chunk is longer than its size") }
            }
            while try !line().isEmpty {}  // trailers
        } else if let length = reply["Content-Length"] {
            guard let count = Int(length) else { throw Failure(description: "Content-Length: \(length)") }
            reply.body = try take(count)
        } else {
            // RFC 9112, section 6.3: the end of the connection ends the body.
            while case let bytes = try socket.receive(), !bytes.isEmpty { pending += bytes }
            reply.body = try take(pending.count)
        }
        return reply
    }

    private func head() throws -> HTTPReply {
        var reply = HTTPReply()
        let statusLine = try line()
        guard statusLine.hasPrefix("HTTP/1."), let status = statusLine.split(separator: " ").dropFirst().first,
            let number = Int(status)
        else { throw Failure(description: "no status line: \(statusLine)") }
        reply.status = number
        while case let line = try line(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw Failure(description: "no header: \(line)") }
            reply.headers.append(
                (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " })))
        }
        return reply
    }

    private func chunkSize() throws -> Int {
        let line = try line()
        guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0 else {
            throw Failure(description: "no chunk size: \(line)")
        }
        return size
    }

    private static func escape(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            let hex = String(byte, radix: 16)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }

    private func line() throws -> String {
        while true {
            if let end = pending.firstIndex(of: 10) {
                defer { pending.removeFirst(end + 1) }
                let line = pending[..<end]
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            try fill()
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while pending.count < count { try fill() }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    private func fill() throws {
        let bytes = try socket.receive()
        guard !bytes.isEmpty else { throw Failure(description: "the web server closed the connection") }
        pending += bytes
    }
}
