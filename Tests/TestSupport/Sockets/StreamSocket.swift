import CPlatform
import Glibc

/// A connected stream socket with a deadline on every wait, closed exactly once.
///
/// The clients hold one instead of a bare descriptor: a descriptor that is closed twice takes away one that another test
/// has opened meanwhile. For one thread at a time.
final class StreamSocket {
    /// -1 after ``reset()``.
    private(set) var fd: Int32
    /// Longest wait for the peer before each read and write, in milliseconds.
    var timeout: Int32 = 10_000

    /// Connects to a unix socket; waits for one that is not there yet, or whose backlog is full.
    init(unix path: String, within seconds: Double) throws {
        let deadline = monotonicSeconds() + seconds
        while true {
            let fd = try Self.open(AF_UNIX)
            // Bounds connect(2), too: with a full backlog it waits without end.
            let left = max(0.1, deadline - monotonicSeconds())
            _ = cplatform_set_timeouts(fd, 0, Int64(left * 1000))
            if cplatform_connect_unix(fd, path) == 0 {
                self.fd = fd
                return
            }
            let code = errno
            close(fd)
            guard monotonicSeconds() < deadline, [ENOENT, ECONNREFUSED, EAGAIN, EINTR].contains(code) else {
                throw TestFailure.system("connect \(path)", code)
            }
            poll(nil, 0, 5)
        }
    }

    /// Connects to a port of 127.0.0.1.
    init(port: UInt16) throws {
        let fd = try Self.open(AF_INET)
        _ = cplatform_set_timeouts(fd, 0, 10_000)
        guard Loopback.connect(fd, port: port) else {
            let code = errno
            close(fd)
            throw TestFailure.system("connect 127.0.0.1:\(port)", code)
        }
        self.fd = fd
    }

    /// Takes a connected socket over.
    init(taking fd: Int32) {
        self.fd = fd
    }

    deinit {
        if fd >= 0 { close(fd) }
    }

    private static func open(_ family: Int32) throws -> Int32 {
        let fd = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw TestFailure.system("socket", errno) }
        return fd
    }

    /// Whether the peer lets `events` happen within the milliseconds.
    private func wait(for events: Int32, within milliseconds: Int32) -> Bool {
        let deadline = monotonicSeconds() + Double(milliseconds) / 1000
        while true {
            var descriptor = pollfd(fd: fd, events: Int16(events), revents: 0)
            let left = Int32(max(0, (deadline - monotonicSeconds()) * 1000))
            let result = poll(&descriptor, 1, left)
            // Some tests send signals to this process.
            if result < 0, errno == EINTR { continue }
            return result > 0
        }
    }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let count = sendSome(bytes[offset...])
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                // Only now: Linux calls a unix socket writable while a quarter of its buffer is used at most, although
                // it takes more.
                guard wait(for: POLLOUT, within: timeout) else {
                    throw TestFailure(description: "send: the peer takes nothing for \(timeout) ms")
                }
            } else if errno != EINTR {
                throw TestFailure.system("send", errno)
            }
        }
    }

    /// Sends as much as the socket takes at once; returns how much, or -1 with errno.
    func sendSome(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes {
            Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// What comes next; empty once the peer has closed or reset the connection.
    func receive(within milliseconds: Int32? = nil) throws -> [UInt8] {
        while true {
            guard wait(for: POLLIN, within: milliseconds ?? timeout) else {
                throw TestFailure(description: "no answer in time")
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN || errno == EINTR { continue }
            return count > 0 ? Array(buffer[..<count]) : []
        }
    }

    /// What has come by now; nil if nothing has, empty once the peer has closed or reset the connection.
    func receiveSome() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        return count > 0 ? Array(buffer[..<count]) : []
    }

    /// No more will be sent.
    func closeSending() {
        shutdown(fd, Int32(SHUT_WR))
    }

    /// Closes at once, and by TCP with RST in place of FIN; what is still under way is lost.
    func reset() {
        guard fd >= 0 else { return }
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
        close(fd)
        fd = -1
    }
}
