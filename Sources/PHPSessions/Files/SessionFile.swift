internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// An open file of a session; closing it gives its lock back.
final class SessionFile: PHPSessionRecord {
    /// -1 once it is closed.
    private var descriptor: Int32
    private let path: String
    private let clock: WallClock
    private(set) var bytes: [UInt8] = []
    private(set) var lastUse = Duration.zero

    init(descriptor: Int32, path: String, clock: WallClock) {
        self.descriptor = descriptor
        self.path = path
        self.clock = clock
    }

    deinit {
        release()
    }

    // MARK: Opening

    /// Refuses what PHP would: anything but a regular file, and files of other users.
    func checkOwner() throws(PHPSessionStoreError) {
        let status = try status()
        guard status.st_mode & S_IFMT == S_IFREG else { throw .refused("a session's file is no regular file") }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw .refused("a session's file belongs to user \(status.st_uid): run as the user that PHP runs as")
        }
    }

    /// Takes the lock, at once or until the deadline. False when others have it.
    func lock(_ kind: Int32, until deadline: BootInstant?) throws(PHPSessionStoreError) -> Bool {
        if let deadline {
            if cplatform_flock_until(descriptor, kind, deadline.nanoseconds) == 0 { return true }
            guard errno == ETIMEDOUT else { throw .system("locking a session's file") }
            return false
        }
        while flock(descriptor, kind | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            guard errno == EWOULDBLOCK else { throw .system("locking a session's file") }
            return false
        }
        return true
    }

    /// Whether the file still has a name.
    func isThere() throws(PHPSessionStoreError) -> Bool { try status().st_nlink > 0 }

    func read(atMost most: Int) throws(PHPSessionStoreError) {
        let status = try status()
        lastUse = Duration(status.st_mtim)
        let size = status.st_size
        guard size <= most else { throw .refused("a session has more bytes than maxBytes, \(most)") }
        // Not by an empty array's storage, which all arrays share and this initializer writes into.
        guard size > 0 else {
            bytes = []
            return
        }
        var failure: PHPSessionStoreError?
        bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            while count < buffer.count {
                let result = pread(descriptor, buffer.baseAddress! + count, buffer.count - count, off_t(count))
                if result < 0, errno == EINTR { continue }
                if result < 0 { failure = .system("reading a session's file") }
                guard result > 0 else { return }
                count += result
            }
        }
        if let failure { throw failure }
    }

    // MARK: Ending

    var isHeld: Bool { descriptor >= 0 }

    func write(_ new: [UInt8], lastUse: Duration?, keepsLock: Bool) throws(PHPSessionStoreError) -> Bool {
        guard new != bytes || lastUse != nil else { return try touch(keepsLock: keepsLock) }
        var isDone = false
        defer { if !keepsLock || !isDone { release() } }
        guard try isThere() else { return false }
        // The same file, as PHP does it: others hold or await its lock. So room comes first, since what is half written
        // is lost.
        guard new.count <= bytes.count || cplatform_reserve(descriptor, Int64(new.count)) == 0 else {
            throw .system("making room in a session's file")
        }
        // As PHP does it: a process that is killed in between leaves an empty session, never a new one with the end of the old.
        guard new.count >= bytes.count || ftruncate(descriptor, 0) == 0 else {
            throw .system("shortening a session's file")
        }
        try put(new)
        // Writing has set the system's own time.
        if let time = lastUse ?? clock.other?() { try stamp(time) }
        bytes = new
        self.lastUse = lastUse ?? clock.now
        isDone = true
        return true
    }

    func touch(keepsLock: Bool) throws(PHPSessionStoreError) -> Bool {
        var isDone = false
        defer { if !keepsLock || !isDone { release() } }
        guard try isThere() else { return false }
        try stamp(clock.other?())
        lastUse = clock.now
        isDone = true
        return true
    }

    func remove() throws(PHPSessionStoreError) -> Bool {
        defer { release() }
        guard try isThere() else { return false }
        guard unlink(path) == 0 else {
            if errno == ENOENT { return false }
            throw .system("removing a session's file")
        }
        return true
    }

    func release() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }

    private func put(_ new: [UInt8]) throws(PHPSessionStoreError) {
        var written = 0
        while written < new.count {
            let result = new.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + written, new.count - written, off_t(written))
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw .system("writing a session's file") }
            written += result
        }
    }

    /// Nil is the system's time.
    private func stamp(_ time: Duration?) throws(PHPSessionStoreError) {
        let times = time.map { [$0.timespec, $0.timespec] }
        // Of root's file, which PHP and we may write, only root sets the times; writing has.
        guard futimens(descriptor, times) == 0 || errno == EPERM else { throw .system("touching a session's file") }
    }

    private func status() throws(PHPSessionStoreError) -> stat {
        var status = stat()
        guard descriptor >= 0 else { throw .refused("a session that was let go cannot be used any more") }
        guard fstat(descriptor, &status) == 0 else { throw .system("looking at a session's file") }
        return status
    }
}

extension PHPSessionStoreError {
    /// From errno.
    static func system(_ what: StaticString) -> PHPSessionStoreError {
        let code = errno
        return PHPSessionStoreError(code: .failed, reason: "\(what): \(String(cString: strerror(code)))")
    }
}
