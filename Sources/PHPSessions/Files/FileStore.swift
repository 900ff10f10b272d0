internal import CPlatform
package import GalletaPlatform
internal import Glibc

/// PHP's own files (`session.save_handler = files`), with its lock: `flock` from the first look to the last write.
///
/// The process has to run as the user whose PHP made the files: PHP refuses files of others, and so does this.
package final class FileStore: PHPSessionStore {
    /// How a store of files is set up.
    package struct Configuration: Sendable {
        /// PHP's `session.save_path`: `[depth;[mode;]]folder`. Debian's is `/var/lib/php/sessions`.
        package var savePath: String
        /// Bytes of a session. A longer one is refused. Default: 4 MiB.
        package var maxBytes = 4 << 20
        /// Threads that wait for the same session at a time; more are turned away at once. A slow page of PHP has its
        /// session for all of its run, and its visitor's further requests must not take all threads. Default: 2.
        package var maxWaiters = 2
        /// What "now" is.
        package var clock = WallClock.system

        package init(savePath: String) {
            self.savePath = savePath
        }
    }

    /// The folder of `session.save_path`.
    var folder: String { path.folder }

    private let path: SavePath
    private let maxBytes: Int
    private let clock: WallClock
    private let queue: SessionQueue

    /// - Throws: For a configuration that cannot be used.
    package init(_ configuration: Configuration) throws(ConfigurationError) {
        guard let path = SavePath(configuration.savePath) else {
            throw ConfigurationError(
                field: "savePath", reason: "not PHP's \"[depth;[mode;]]folder\"",
                remedy: "copy session.save_path from PHP's settings")
        }
        guard configuration.maxBytes > 0 else {
            throw ConfigurationError(field: "maxBytes", reason: "below 1", remedy: "allow a session's size")
        }
        guard configuration.maxWaiters >= 0 else {
            throw ConfigurationError(field: "maxWaiters", reason: "below 0", remedy: "give 0 if nobody shall wait")
        }
        self.path = path
        maxBytes = configuration.maxBytes
        queue = SessionQueue(limit: configuration.maxWaiters)
        clock = configuration.clock
    }

    /// Refuses a folder in which no session could be read or begun.
    func checkFolder() throws(ConfigurationError) {
        var status = stat()
        guard stat(path.folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw ConfigurationError(
                field: "savePath", reason: "\(path.folder) is no folder: \(String(cString: strerror(errno)))",
                remedy:
                    "copy session.save_path from PHP's settings; a service with PrivateTmp= has another /tmp than PHP")
        }
        guard access(path.folder, W_OK | X_OK) == 0 else {
            throw ConfigurationError(
                field: "savePath", reason: "user \(geteuid()) may not write in \(path.folder)",
                remedy: "run as the user that PHP runs as (ps -o user= -C php-fpm8.2)")
        }
    }

    package func open(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (any PHPSessionRecord)? {
        guard let file = path.file(of: id) else { return nil }
        return try open(id, file, flags: O_RDWR, lock: LOCK_EX, until: deadline)
    }

    package func read(_ id: PHPSessionID, until deadline: BootInstant) throws(PHPSessionStoreError)
        -> PHPSessionContent?
    {
        guard let file = path.file(of: id) else { return nil }
        let session = try open(id, file, flags: O_RDONLY, lock: LOCK_SH, until: deadline)
        return session.map { PHPSessionContent(bytes: $0.bytes, lastUse: $0.lastUse) }
    }

    package func create(
        _ id: PHPSessionID, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> (any PHPSessionRecord)? {
        guard let file = path.file(of: id) else { throw .refused("an id that is too short or long for savePath") }
        let descriptor = Glibc.open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, path.mode)
        if descriptor < 0 {
            guard errno == EEXIST else { throw .system("creating a session's file") }
            return nil
        }
        let session = SessionFile(descriptor: descriptor, path: file, clock: clock)
        // PHP may be first to lock what was just made: then this waits, and reads what PHP wrote.
        return try take(session, id, lock: LOCK_EX, until: deadline) ? session : nil
    }

    /// Files need no closing.
    package func close() {}

    /// The number of threads that wait for a session now.
    func waiterCount(of id: PHPSessionID) -> Int { queue.count(of: id) }

    private func open(
        _ id: PHPSessionID, _ file: String, flags: Int32, lock: Int32, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> SessionFile? {
        while true {
            let descriptor = Glibc.open(file, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            if descriptor < 0 {
                switch errno {
                case ENOENT: return nil
                case EINTR: continue
                case ELOOP, EISDIR, ENXIO: throw .refused("a session's file is no regular file")
                default: throw .system("opening a session's file")
                }
            }
            let session = SessionFile(descriptor: descriptor, path: file, clock: clock)
            try session.checkOwner()
            // Removed while we waited: there may be another of that name by now.
            guard try take(session, id, lock: lock, until: deadline) else { continue }
            return session
        }
    }

    /// Locks and reads. False when the file was removed before it was locked.
    private func take(
        _ session: SessionFile, _ id: PHPSessionID, lock: Int32, until deadline: BootInstant
    ) throws(PHPSessionStoreError) -> Bool {
        try queue.take(id, until: deadline) { (deadline) throws(PHPSessionStoreError) in
            try session.lock(lock, until: deadline)
        }
        guard try session.isThere() else { return false }
        try session.read(atMost: maxBytes)
        return true
    }
}
