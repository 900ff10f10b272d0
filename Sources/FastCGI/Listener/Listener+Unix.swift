internal import CPlatform
internal import Glibc

extension Listener {
    /// Listens on a unix socket at `path`.
    ///
    /// A socket file that nobody listens on is replaced; one that a living process listens on is never taken away.
    ///
    /// - Parameters:
    ///   - path: At most 107 bytes; its folder must exist.
    ///   - mode: Permissions of the socket file: who may write to it may speak FastCGI. Default 0660.
    ///   - allow: Users that may connect beside root and this process's own, as `user:www-data` or `user:33`; empty:
    ///     whom the mode lets in.
    /// - Throws: ``ListenerError`` with the remedy.
    public static func unix(
        path: String, mode: UInt32 = 0o660, allow: [String] = []
    ) throws(ListenerError) -> Listener {
        let name = "unix:\(path)"
        let allowed = try AllowedPeers(allow, listener: name)
        guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw ListenerError(
                name,
                "a unix socket's path has 1 to 107 bytes",
                "choose a shorter path, such as /run/galleta/galleta.sock"
            )
        }
        try removeStale(path, name)
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ListenerError(name, ListenerError.text(errno), "raise the limit of open files") }

        // Linux gives the file the socket's own mode, less the mask: no moment in which others could connect. What the
        // mask took is given back afterwards; to change the mask itself would change it for all threads.
        fchmod(fd, mode_t(mode & 0o777))
        guard cplatform_bind_unix(fd, path) == 0 else {
            let failure = errno
            close(fd)
            throw bindError(failure, path, name)
        }
        chmod(path, mode_t(mode & 0o777))
        guard listen(fd, backlog) == 0 else {
            let failure = errno
            close(fd)
            unlink(path)
            throw ListenerError(name, ListenerError.text(failure), "choose another path")
        }
        var status = stat()
        let own =
            lstat(path, &status) == 0
            ? OwnPath(path: path, device: status.st_dev, inode: status.st_ino) : nil
        return Listener(
            fd: fd, name: name, warnings: modeWarnings(path: path, mode: mode, allowed), allowed: allowed, ownPath: own)
    }

    /// What to say about a socket file of this mode.
    static func modeWarnings(path: String, mode: UInt32, _ allowed: AllowedPeers) -> [String] {
        guard mode & 0o002 != 0, allowed.users.isEmpty else { return [] }
        return [
            "the socket \(path) is world-writable: every local user can send requests in any name; "
                + "use mode 0660 with the web server's group, or name the users that may (--allow user:www-data)"
        ]
    }

    private static func removeStale(_ path: String, _ name: String) throws(ListenerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListenerError(name, "the file exists and is not a socket", "choose another path, or remove the file")
        }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw ListenerError(name, ListenerError.text(errno), "raise the limit of open files") }
        defer { close(probe) }
        guard cplatform_connect_unix(probe, path) != 0, errno == ECONNREFUSED || errno == ENOENT else {
            throw ListenerError(
                name,
                "a running process listens on it already",
                "stop that process first (ss -xlp names it), or choose another path"
            )
        }
        unlink(path)
    }

    private static func bindError(_ failure: Int32, _ path: String, _ name: String) -> ListenerError {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        switch failure {
        case ENOENT, ENOTDIR:
            return ListenerError(name, "the folder \(folder) does not exist", "create it (install -d \(folder))")
        case EACCES, EPERM, EROFS:
            return ListenerError(
                name,
                "no permission to create a socket in \(folder)",
                "give this user write permission on the folder, or choose another path"
            )
        case EADDRINUSE:
            return ListenerError(name, "another process has just taken it", "stop that process, or choose another path")
        default:
            return ListenerError(name, ListenerError.text(failure), "choose another path")
        }
    }
}
