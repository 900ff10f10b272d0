internal import CPlatform
internal import GalletaPlatform
internal import Glibc

extension Listener {
    /// Listens on a unix socket at `path`.
    ///
    /// A socket file that nobody listens on is replaced; one that a living process listens on is never taken away, also
    /// when several processes start at once. For a moment there is a `PATH.lock` beside it.
    ///
    /// - Parameters:
    ///   - path: At most 107 bytes; its folder must exist.
    ///   - mode: Permissions of the socket file: who may write to it may speak FastCGI. Default 0660.
    ///   - allow: Users that may connect beside root and this process's own, as `user:www-data` or `user:33`; empty:
    ///     whom the mode lets in.
    /// - Throws: As ``at(_:mode:allow:)``.
    public static func unix(
        path: String, mode: UInt32 = 0o660, allow: [String] = []
    ) throws -> Listener {
        let (name, allowed) = try unixSettings(path, allow)
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
        guard listen(fd, backlog) == 0 else {
            let failure = errno
            close(fd)
            unlink(path)
            throw ListenerError(name, ListenerError.text(failure), "choose another path")
        }
        return Listener(
            fd: fd, name: name, warnings: modeWarnings(path: path, mode: mode, allowed), allowed: allowed, file: file)
    }

    /// Whether ``unix(path:mode:allow:)`` would succeed now; leaves nothing behind.
    static func checkUnix(path: String, allow: [String]) throws {
        let (name, _) = try unixSettings(path, allow)
        try SocketFile.checkFolder(of: path, name)
        _ = try SocketFile.isStale(path, name)
    }

    private static func unixSettings(
        _ path: String, _ allow: [String]
    ) throws(ConfigurationError) -> (name: String, allowed: AllowedPeers) {
        let name = "unix:\(path)"
        let allowed = try AllowedPeers(allow)
        guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else {
            throw ConfigurationError(
                field: "listener",
                reason: "a unix socket's path has 1 to 107 bytes",
                remedy: "choose a shorter path, such as /run/galleta/galleta.sock"
            )
        }
        return (name, allowed)
    }

    /// What to say about a socket file of this mode.
    static func modeWarnings(path: String, mode: UInt32, _ allowed: AllowedPeers) -> [String] {
        guard mode & 0o002 != 0, allowed.users.isEmpty else { return [] }
        return [
            "the socket \(path) is world-writable: every local user can send requests in any name; "
                + "use mode 0660 with the web server's group, or name the users that may (`allow` with user:www-data)"
        ]
    }
}
