internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// A stream socket that never blocks; each wait ends at a deadline.
///
/// Threading: one thread at a time.
final class RedisSocket {
    private var fd: Int32

    private init(fd: Int32) {
        self.fd = fd
    }

    deinit {
        close()
    }

    /// Connects to a unix socket.
    static func connect(unix path: String, by deadline: BootInstant) throws(RedisError) -> RedisSocket {
        while true {
            let socket = try RedisSocket(family: AF_UNIX)
            if cplatform_connect_unix(socket.fd, path) == 0 { return socket }
            // The backlog is full: unlike TCP's, this connect(2) does not go on by itself.
            guard errno == EAGAIN || errno == EINTR else { throw refused(errno) }
            guard BootInstant.now < deadline else {
                throw RedisError(.timeout, "no connection in time: the backlog is full")
            }
            poll(nil, 0, 1)
        }
    }

    /// Connects to an IPv4 or IPv6 address.
    static func connect(_ address: ResolvedAddress, by deadline: BootInstant) throws(RedisError) -> RedisSocket {
        let socket = try RedisSocket(family: address.family)
        socket.tune()
        let result = address.withSockaddr { Glibc.connect(socket.fd, $0, $1) }
        if result == 0 { return socket }
        guard errno == EINPROGRESS || errno == EINTR else { throw refused(errno) }
        guard try socket.wait(for: POLLOUT, by: deadline) else { throw RedisError(.timeout, "no connection in time") }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw refused(code) }
        return socket
    }

    private convenience init(family: Int32) throws(RedisError) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let fd = Glibc.socket(family, type, 0)
        guard fd >= 0 else {
            var error = RedisError(.connection, "no socket: \(String(cString: strerror(errno)))")
            error.countsAgainstServer = false
            throw error
        }
        self.init(fd: fd)
    }

    private static func refused(_ code: Int32) -> RedisError {
        RedisError(.connection, "no connection: \(String(cString: strerror(code)))")
    }

    private func tune() {
        for (level, name, value) in [
            (Int32(IPPROTO_TCP), TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1),
            // Idle connections that a router has forgotten are found within a minute.
            (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30), (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5),
            (Int32(IPPROTO_TCP), TCP_KEEPCNT, 3),
        ] {
            var value = Int32(value)
            setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    /// Ends the connection. Later calls fail.
    func close() {
        if fd >= 0 { Glibc.close(fd) }
        fd = -1
    }

    /// Whether the peer has neither sent anything nor closed. Cost: a system call.
    var isQuiet: Bool {
        var state = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return fd >= 0 && poll(&state, 1, 0) == 0
    }

    /// Sends all of it.
    ///
    /// - Parameter sent: Counts what the kernel has taken, also when it throws.
    func send(_ bytes: [UInt8], by deadline: BootInstant, sent: inout Int) throws(RedisError) {
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress! + position, $0.count - position, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
                position += count
            } else if errno == EAGAIN {
                guard try wait(for: POLLOUT, by: deadline) else {
                    throw RedisError(.timeout, "the server takes no bytes")
                }
            } else if errno != EINTR {
                throw RedisError(.connection, "the connection broke: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Takes what has come, at least a byte; 0 at the end.
    func receive(into buffer: UnsafeMutableRawBufferPointer, by deadline: BootInstant) throws(RedisError) -> Int {
        while true {
            guard try wait(for: POLLIN, by: deadline) else { throw RedisError(.timeout, "no reply in time") }
            let count = recv(fd, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            guard errno == EAGAIN || errno == EINTR else {
                throw RedisError(.connection, "the connection broke: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// False when the deadline has passed, whatever has happened.
    private func wait(for events: Int32, by deadline: BootInstant) throws(RedisError) -> Bool {
        while true {
            let left = BootInstant.now.duration(to: deadline).nanoseconds
            guard left > 0 else { return false }
            var state = pollfd(fd: fd, events: Int16(events), revents: 0)
            // Rounded up: a wait of no milliseconds would spin.
            let result = poll(&state, 1, Int32(clamping: (left + 999_999) / 1_000_000))
            if result > 0 { return true }
            guard result == 0 || errno == EINTR else {
                throw RedisError(.connection, "poll: \(String(cString: strerror(errno)))")
            }
        }
    }
}
