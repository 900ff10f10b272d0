import Glibc

/// A kept connection to a web server on 127.0.0.1, speaking just enough HTTP/1.1, with a deadline on every wait.
public final class HTTPClient: @unchecked Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let fd: Int32
    private var pending: [UInt8] = []

    public init(port: Int) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(fd)
            throw Failure(description: "connect: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(fd)
    }

    public func get(_ path: String, _ headers: [String] = []) throws -> HTTPReply {
        try request("GET", path, headers)
    }

    public func post(_ path: String, form: [(String, String)], _ headers: [String] = []) throws -> HTTPReply {
        let body = form.map { "\($0.0)=\(Self.escape($0.1))" }.joined(separator: "&")
        return try request(
            "POST", path, headers + ["Content-Type: application/x-www-form-urlencoded"], body: Array(body.utf8))
    }

    public func request(
        _ method: String, _ path: String, _ headers: [String] = [], body: [UInt8]? = nil
    ) throws -> HTTPReply {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n"
        for header in headers { head += header + "\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        try send(Array((head + "\r\n").utf8) + (body ?? []))
        return try reply(hasBody: method != "HEAD")
    }

    private static func escape(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            let hex = String(byte, radix: 16)
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }

    private func send(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
            offset += count
        }
    }

    private func reply(hasBody: Bool) throws -> HTTPReply {
        var reply = HTTPReply()
        let status = try line()
        reply.status = Int(status.split(separator: " ").dropFirst().first ?? "") ?? 0
        while case let line = try line(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { continue }
            reply.headers.append(
                (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " })))
        }
        guard hasBody, reply.status != 204, reply.status != 304 else { return reply }
        if reply["Transfer-Encoding"] == "chunked" {
            while case let size = Int(try line(), radix: 16) ?? 0, size > 0 {
                reply.body += try take(size)
                _ = try line()
            }
            _ = try line()
        } else if let length = reply["Content-Length"].flatMap({ Int($0) }) {
            reply.body = try take(length)
        }
        return reply
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
        var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, 20_000) > 0 else { throw Failure(description: "no answer in time") }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(fd, &buffer, buffer.count, 0)
        guard count > 0 else { throw Failure(description: "the web server closed the connection") }
        pending += buffer[..<count]
    }
}
