internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging

/// What of the machine has to fit where a process shares PHP's session files: its user, its view of the folder, Debian's cleaner.
struct PHPHost {
    /// The user that PHP's pages run as, by the pool's settings: a name or a number; nil: they do not say.
    var poolUser: String?
    /// What `session.gc_maxlifetime` is in php.ini, without the pool's settings; nil: there is no php.ini.
    var iniLifetime: Duration?
    /// The mounts of this process, in the form of `/proc/self/mountinfo` (proc(5)).
    var mounts = PHPHost.ownMounts
    /// Who this process is.
    var userID = geteuid()

    /// Where Debian has PHP's sessions. A timer of Debian's removes the old ones: PHP itself does not there.
    private static let debianFolder = "/var/lib/php/sessions"

    /// - Throws: `ConfigurationError` for what keeps PHP's pages and this process from each other's sessions.
    func check(_ folder: String) throws(ConfigurationError) {
        if let poolUser, let id = Self.userID(of: poolUser), id != userID {
            throw ConfigurationError(
                field: "pool",
                reason: """
                    PHP's pages run as \(poolUser), this process as \(Self.name(of: userID)): sessions of either are closed \
                    to the other
                    """,
                remedy: "run this as \(poolUser): User=\(poolUser) in the unit, -u \(poolUser) for spawn-fcgi")
        }
        if poolUser == nil, let owner = Self.owner(ofFilesIn: folder), owner != userID, owner != 0 {
            throw ConfigurationError(
                field: "savePath",
                reason: """
                    sessions in \(folder) belong to \(Self.name(of: owner)), this process runs as \(Self.name(of: userID)): \
                    sessions of either are closed to the other
                    """,
                remedy: "run this as \(Self.name(of: owner)), or give another session.save_path")
        }
        let top = ["/tmp", "/var/tmp"].first { folder == $0 || folder.hasPrefix($0 + "/") }
        if let top, hasPrivate(top) {
            throw ConfigurationError(
                field: "savePath",
                reason: "\(folder) is in a \(top) of this service's own (PrivateTmp=), which PHP's pages do not see",
                remedy: "set session.save_path to a folder outside of /tmp for both, as \(Self.debianFolder)")
        }
    }

    /// Says when Debian's cleaner would end sessions that are to live on.
    func warn(of idleTimeout: Duration, in folder: String, to logger: Logger) {
        guard let iniLifetime, folder == Self.debianFolder, idleTimeout > iniLifetime else { return }
        logger.warning(
            """
            Debian's session cleaner goes by php.ini and removes sessions after \(iniLifetime), which are to live for \
            \(idleTimeout): set session.gc_maxlifetime = \(idleTimeout.components.seconds) in php.ini, not in the pool or here alone
            """)
    }

    /// Whether a folder is one that systemd has made for this service alone.
    private func hasPrivate(_ folder: String) -> Bool {
        mounts.split(separator: "\n").contains { line in
            // 36 35 98:0 /root /mount/point …
            let fields = line.split(separator: " ", maxSplits: 5)
            return fields.count > 5 && fields[4] == folder && fields[3].contains("/systemd-private-")
        }
    }

    private static var ownMounts: String {
        (try? PHPProvider.Configuration.content(of: "/proc/self/mountinfo", "savePath")) ?? ""
    }

    /// Whose the sessions are that are there; nil where there are none, or the folder is closed to us.
    private static func owner(ofFilesIn folder: String) -> uid_t? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var looked = 0
        while looked < 1_000, let entry = readdir(directory) {
            looked += 1
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard name.hasPrefix("sess_"), lstat("\(folder)/\(name)", &status) == 0,
                status.st_mode & S_IFMT == S_IFREG
            else { continue }
            return status.st_uid
        }
        return nil
    }

    private static func userID(of name: String) -> uid_t? {
        if let number = uid_t(name) { return number }
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.pw_uid
    }

    private static func name(of id: uid_t) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(id, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return "user \(id)" }
        return String(cString: entry.pw_name)
    }
}
