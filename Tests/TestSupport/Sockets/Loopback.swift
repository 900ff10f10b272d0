import Glibc

/// Addresses of 127.0.0.1, for which Swift has to cast pointers.
public enum Loopback {
    /// As connect(2); false with errno on failure.
    static func connect(_ fd: Int32, port: UInt16) -> Bool {
        withAddress(port: port) { Glibc.connect(fd, $0, $1) == 0 }
    }

    /// A socket that holds a free port and refuses connections, and that port. The caller closes it.
    public static func reserve() throws -> (fd: Int32, port: UInt16) {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw TestFailure.system("socket", errno) }
        guard withAddress(port: 0, { Glibc.bind(fd, $0, $1) == 0 }) else {
            let code = errno
            close(fd)
            throw TestFailure.system("bind 127.0.0.1", code)
        }
        return (fd, port(of: fd))
    }

    /// A socket that listens on a free port, and that port. The caller closes it.
    public static func listen() throws -> (fd: Int32, port: UInt16) {
        let reserved = try reserve()
        guard Glibc.listen(reserved.fd, 128) == 0 else {
            let code = errno
            close(reserved.fd)
            throw TestFailure.system("listen", code)
        }
        return reserved
    }

    /// A port that nobody is bound to at this moment. Another may take it at once: retry on conflict.
    public static func freePort() throws -> Int {
        let reserved = try reserve()
        close(reserved.fd)
        return Int(reserved.port)
    }

    /// Whether nobody is bound to a port at this moment.
    static func isFree(_ port: UInt16) throws -> Bool {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw TestFailure.system("socket", errno) }
        defer { close(fd) }
        return withAddress(port: port) { Glibc.bind(fd, $0, $1) == 0 }
    }

    private static func port(of fd: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func withAddress(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
