internal import Glibc

/// What systemd's sockets and its file descriptor store leave for this process (sd_listen_fds(3)), by the names of `FileDescriptorName=`.
///
/// The environment variables are removed at the first look, so that a child does not take the descriptors for its own.
/// Threading: any thread.
package enum InheritedDescriptors {
    /// The name of a socket that is not for the web server, but for a store of sessions.
    package static let storeName = "session-store"

    private static let waiting = Locked<[(fd: Int32, name: String)]>([])

    /// Those that are wanted, and that nobody has taken before; the caller's to close.
    ///
    /// - Parameter isWanted: Gets the descriptor and its name; empty where none is known.
    package static func take(_ isWanted: (Int32, String) -> Bool) -> [(fd: Int32, name: String)] {
        waiting.withLock { waiting in
            waiting += announced()
            defer { waiting.removeAll { isWanted($0.fd, $0.name) } }
            return waiting.filter { isWanted($0.fd, $0.name) }
        }
    }

    private static func announced() -> [(fd: Int32, name: String)] {
        defer {
            unsetenv("LISTEN_PID")
            unsetenv("LISTEN_FDS")
            unsetenv("LISTEN_FDNAMES")
        }
        guard let owner = getenv("LISTEN_PID").flatMap({ Int32(String(cString: $0)) }), owner == getpid(),
            let count = getenv("LISTEN_FDS").flatMap({ Int32(String(cString: $0)) }), (1...65_536).contains(count)
        else { return [] }
        let names = getenv("LISTEN_FDNAMES").map { String(cString: $0) } ?? ""
        let words = names.split(separator: ":", omittingEmptySubsequences: false)
        return (0..<count).map { (3 + $0, words.count == Int(count) ? String(words[Int($0)]) : "") }
    }

    /// Whether a descriptor is a socket that listens.
    package static func isListening(_ fd: Int32) -> Bool {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0
    }

    /// The path of a unix socket; nil for one without, or for any other descriptor.
    package static func unixPath(of fd: Int32) -> String? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
        }
        guard result == 0, Int32(address.sun_family) == AF_UNIX else { return nil }
        let path = withUnsafeBytes(of: &address.sun_path) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        return path.isEmpty ? nil : path
    }
}
