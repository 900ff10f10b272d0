internal import GalletaPlatform

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
        let (fd, file) = try UnixListener.listen(path: path, mode: mode, name: name, backlog: backlog)
        return Listener(
            fd: fd, name: name, warnings: modeWarnings(path: path, mode: mode & 0o777, allowed), allowed: allowed,
            file: file)
    }

    /// Whether ``unix(path:mode:allow:)`` would succeed now; leaves nothing behind.
    static func checkUnix(path: String, allow: [String]) throws {
        let (name, _) = try unixSettings(path, allow)
        try UnixListener.check(path: path, name: name)
    }

    private static func unixSettings(
        _ path: String, _ allow: [String]
    ) throws(ConfigurationError) -> (name: String, allowed: AllowedPeers) {
        let name = "unix:\(path)"
        let allowed = try AllowedPeers(allow)
        try UnixListener.checkPath(path, field: "listener")
        return (name, allowed)
    }

    /// What to say about a socket file of this mode.
    static func modeWarnings(path: String, mode: UInt32, _ allowed: AllowedPeers) -> [String] {
        guard mode & 0o002 != 0, !allowed.namesUsers else { return [] }
        return [
            "the socket \(path) is world-writable: every local user can send requests in any name; "
                + "use mode 0660 with the web server's group, or name the users that may (`allow` with user:www-data)"
        ]
    }
}
