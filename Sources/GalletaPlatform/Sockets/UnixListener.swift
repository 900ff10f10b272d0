internal import CPlatform
internal import Glibc

/// Listening on a unix socket, as private as its file's mode.
package enum UnixListener {
    /// Makes the socket file and listens on it.
    ///
    /// A socket file that nobody listens on is replaced; one that a living process listens on is never taken away, also
    /// when several processes start at once. For a moment there is a `PATH.lock` beside it.
    ///
    /// - Parameters:
    ///   - path: As ``checkPath(_:field:)`` allows.
    ///   - mode: Permissions of the socket file: who may write to it may connect.
    ///   - name: What errors call it.
    ///   - backlog: Connections that the kernel holds.
    /// - Returns: The socket, close-on-exec, and its file. Both are the caller's to end.
    package static func listen(
        path: String, mode: UInt32, name: String, backlog: Int32
    ) throws(ListenerError) -> (fd: Int32, file: SocketFile) {
        let mode = mode & 0o777
        // Until it listens: a socket that is bound only looks as stale as one that was left.
        let lock = try SocketFile.Lock(path, name)
        defer { withExtendedLifetime(lock) {} }
        if try SocketFile.isStale(path, name) { unlink(path) }
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ListenerError(name, ListenerError.text(errno), "raise the limit of open files") }

        // Linux gives the file the socket's own mode, less the mask: no moment in which others could connect. What the
        // mask took is given back afterwards; to change the mask itself would change it for all threads.
        fchmod(fd, mode_t(mode))
        guard cplatform_bind_unix(fd, path) == 0 else {
            let failure = errno
            close(fd)
            throw SocketFile.creationError(failure, path, name)
        }
        let file: SocketFile
        do throws(ListenerError) {
            file = try SocketFile(boundAt: path, mode: mode, name)
        } catch {
            close(fd)
            throw error
        }
        guard Glibc.listen(fd, backlog) == 0 else {
            let failure = errno
            close(fd)
            unlink(path)
            throw ListenerError(name, ListenerError.text(failure), "choose another path")
        }
        return (fd, file)
    }

    /// Whether ``listen(path:mode:name:backlog:)`` would succeed now; leaves nothing behind.
    package static func check(path: String, name: String) throws(ListenerError) {
        try SocketFile.checkFolder(of: path, name)
        _ = try SocketFile.isStale(path, name)
    }

    /// Refuses what can be no unix socket's path.
    ///
    /// - Parameter field: The setting's name.
    package static func checkPath(_ path: String, field: String) throws(ConfigurationError) {
        guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw ConfigurationError(
                field: field,
                reason: "a unix socket's path has 1 to 107 bytes",
                remedy: "choose a shorter path, such as /run/galleta/galleta.sock"
            )
        }
    }
}
