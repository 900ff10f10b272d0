import CPlatform
import Glibc

/// A raw FastCGI client: it sends any bytes and reads what comes, with a deadline on every wait.
public final class FastCGIClient: @unchecked Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        public init(description: String) {
            self.description = description
        }
    }

    public let fd: Int32
    /// Longest wait for one read or write, in milliseconds.
    public var timeout: Int32 = 10_000
    /// Something that lives at least as long as the client, such as the server it speaks to.
    public var companion: AnyObject?
    private var pending: [UInt8] = []

    /// Connects to a unix socket; waits for one that is not there yet.
    public init(unix path: String, within seconds: Double = 10) throws {
        let deadline = Self.now + seconds
        while true {
            let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            if cplatform_connect_unix(fd, path) == 0 {
                self.fd = fd
                return
            }
            let code = errno
            close(fd)
            guard Self.now < deadline, code == ENOENT || code == ECONNREFUSED || code == EAGAIN else {
                throw Failure(description: "connect \(path): \(String(cString: strerror(code)))")
            }
            usleepBriefly()
        }
    }

    /// Connects to a port of 127.0.0.1.
    public init(port: UInt16) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "connect: \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(fd)
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Sending

    public func send(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
            offset += count
        }
    }

    /// Sends as much as the socket takes at once; returns how much.
    public func sendSome(_ bytes: [UInt8]) -> Int {
        bytes.withUnsafeBytes {
            Glibc.send(fd, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// No more will be sent.
    public func closeSending() {
        shutdown(fd, Int32(SHUT_WR))
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
                reply.protocolStatus = content[4]
                return reply
            default: throw Failure(description: "record of type \(header[1])")
            }
        }
        return reply
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
        let deadline = Self.now + Double(milliseconds) / 1000
        while true {
            var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            let left = Int32(max(0, (deadline - Self.now) * 1000))
            guard poll(&descriptor, 1, left) > 0 else { return false }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            if recv(fd, &buffer, buffer.count, 0) <= 0 { return true }
        }
    }

    /// Exactly `count` bytes, or nil if the server closes before.
    private func take(_ count: Int) throws -> [UInt8]? {
        while pending.count < count {
            var descriptor = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, timeout) > 0 else { throw Failure(description: "no answer in time") }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let received = recv(fd, &buffer, buffer.count, 0)
            guard received > 0 else { return nil }
            pending += buffer[..<received]
        }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }
}

/// Lets other threads run between two looks at something that changes soon.
private func usleepBriefly() {
    poll(nil, 0, 5)
}
