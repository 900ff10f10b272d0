internal import CPlatform
internal import Glibc

/// The file of a unix socket that this process made.
///
/// Whoever makes, replaces or removes such a file holds a ``Lock``: of two processes that find the same stale file one
/// replaces it, and the other finds one that lives.
package struct SocketFile {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Takes what was just bound at `path` and gives it its mode, which the mask of bind(2) may have narrowed.
    ///
    /// By a handle on the file, never by its name: in a folder that others can write the name may be a link by now.
    package init(boundAt path: String, mode: UInt32, _ name: String) throws(ListenerError) {
        self.path = path
        var (device, inode) = (dev_t(), ino_t())
        guard cplatform_settle_socket_file(path, mode_t(mode), &device, &inode) == 0 else {
            throw ListenerError(
                name,
                "its mode cannot be set: \(ListenerError.text(errno))",
                "choose a folder that only this user can write, and mount /proc"
            )
        }
        (self.device, self.inode) = (device, inode)
    }

    /// Removes the file if it is still this one.
    package func remove() {
        // Without the lock it stays, and the next start replaces it.
        guard let lock = try? Lock(path, path, patience: .seconds(1)) else { return }
        defer { withExtendedLifetime(lock) {} }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_dev == device, status.st_ino == inode { unlink(path) }
    }

    /// What may be replaced: nothing there, or a socket that nobody listens on.
    ///
    /// - Returns: Whether a stale socket is there.
    package static func isStale(_ path: String, _ name: String) throws(ListenerError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return false }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListenerError(name, "the file exists and is not a socket", "choose another path, or remove the file")
        }
        let probe = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw ListenerError(name, ListenerError.text(errno), "raise the limit of open files") }
        defer { close(probe) }
        let answer = cplatform_connect_unix(probe, path) == 0 ? 0 : errno
        switch answer {
        case ECONNREFUSED: return true
        case ENOENT: return false
        case EACCES, EPERM:
            throw ListenerError(
                name,
                "there is a socket of another user, who may listen on it",
                "choose another path, or remove the file if it is left over"
            )
        default:
            throw ListenerError(
                name,
                "a running process listens on it already",
                "stop that process first (ss -xlp names it), or choose another path",
                isInUse: true
            )
        }
    }

    /// The right to change what is at a path: a lock on `PATH.lock`, a file that is there only meanwhile.
    package final class Lock {
        private let path: String
        private let file: Int32

        /// - Parameter patience: How long to wait for another process that starts or stops there.
        package init(_ path: String, _ name: String, patience: Duration = .seconds(5)) throws(ListenerError) {
            self.path = path + ".lock"
            let deadline = BootInstant.now.advanced(by: patience)
            while true {
                let file = open(self.path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
                guard file >= 0 else { throw Self.openError(errno, path, name) }
                // The one before may have removed the file that was waited for: then it protects nothing.
                if Self.take(file, until: deadline), Self.isFile(file, at: self.path) {
                    self.file = file
                    return
                }
                close(file)
                guard BootInstant.now < deadline else {
                    throw ListenerError(
                        name,
                        "another process is about to listen on it, or to stop",
                        "stop that process (fuser \(self.path) names it), or choose another path"
                    )
                }
            }
        }

        deinit {
            unlink(path)
            close(file)
        }

        private static func take(_ file: Int32, until deadline: BootInstant) -> Bool {
            while flock(file, LOCK_EX | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK || errno == EINTR, BootInstant.now < deadline else { return false }
                usleep(1000)
            }
            return true
        }

        private static func isFile(_ file: Int32, at path: String) -> Bool {
            var (held, named) = (stat(), stat())
            return fstat(file, &held) == 0 && lstat(path, &named) == 0 && held.st_dev == named.st_dev
                && held.st_ino == named.st_ino
        }

        private static func openError(_ failure: Int32, _ path: String, _ name: String) -> ListenerError {
            var status = stat()
            guard lstat(path + ".lock", &status) != 0 else {
                return ListenerError(
                    name,
                    "its lock \(path).lock belongs to somebody else",
                    "remove that file if no other server is about to start, or choose another path"
                )
            }
            return SocketFile.creationError(failure, path, name)
        }
    }

    /// Why no file can be made at `path`.
    package static func creationError(_ failure: Int32, _ path: String, _ name: String) -> ListenerError {
        let folder = folder(of: path)
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

    /// Whether the folder of `path` takes new files; leaves nothing there.
    package static func checkFolder(of path: String, _ name: String) throws(ListenerError) {
        let file = cplatform_open_temporary(folder(of: path))
        guard file >= 0 else { throw creationError(errno, path, name) }
        close(file)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
