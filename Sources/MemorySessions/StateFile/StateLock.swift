internal import GalletaPlatform
internal import Glibc

/// The right to a state file: a lock on `FILE.lock`, held as long as the object lives.
final class StateLock: Sendable {
    private static let pause: UInt32 = 20_000

    private let file: Int32

    private init(file: Int32) {
        self.file = file
    }

    deinit {
        // Closing lets go of the lock. The file stays: removing it would let two processes lock two files of one name.
        close(file)
    }

    /// Whether this process could take the lock, once it is free; leaves nothing behind.
    static func checkAccess(for path: String) throws(StateFailure) {
        let path = path + ".lock"
        let file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard file < 0 else {
            close(file)
            return
        }
        // It will be made, and the folder was looked at.
        guard errno == ENOENT else { throw .system("open", path) }
    }

    /// Waits until the lock is free, for `timeout` at most; nil when another process (or provider) has it still.
    static func take(for path: String, timeout: Duration) throws(StateFailure) -> StateLock? {
        let path = path + ".lock"
        let file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("open", path) }
        let lock = StateLock(file: file)
        let deadline = BootInstant.now.advanced(by: timeout)
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .system("lock", path) }
            guard BootInstant.now < deadline else { return nil }
            usleep(pause)
        }
        return lock
    }
}
