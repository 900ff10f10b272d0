internal import Glibc

/// The calls that put files on the disk, as the system has them: each gives a negative number and sets `errno` where it
/// fails. Tests put a disk there that fails, or that forgets what was not synced.
package protocol StateDisk: Sendable {
    /// Makes a file that is not there yet, with mode 0600; gives its descriptor.
    func create(_ path: String) -> Int32
    func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
    /// Puts a file's bytes on the disk.
    func sync(_ file: Int32) -> Int32
    func rename(_ path: String, to new: String) -> Int32
    func unlink(_ path: String) -> Int32
    /// Puts the names in a file's folder on the disk.
    func syncFolder(of path: String) -> Int32
}

/// The system's.
package struct SystemDisk: StateDisk {
    package init() {}

    package func create(_ path: String) -> Int32 {
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    }

    package func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        Glibc.write(file, bytes.baseAddress, bytes.count)
    }

    package func sync(_ file: Int32) -> Int32 { fdatasync(file) }

    package func rename(_ path: String, to new: String) -> Int32 { Glibc.rename(path, new) }

    package func unlink(_ path: String) -> Int32 { Glibc.unlink(path) }

    package func syncFolder(of path: String) -> Int32 {
        let folder = open(StateOutput.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return -1 }
        defer { close(folder) }
        return fsync(folder)
    }
}

extension StateDisk {
    /// Writes all of the bytes.
    func write(_ bytes: [UInt8], to file: Int32, _ path: String) throws(StateFailure) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { write(file, UnsafeRawBufferPointer(rebasing: $0[offset...])) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("write", path) }
            offset += count
        }
    }
}
