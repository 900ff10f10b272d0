internal import CPlatform
internal import Glibc

/// A state file on its way: written beside the old one, which it replaces at the end or not at all.
package final class StateOutput {
    private let path: String
    private let file: Int32
    package private(set) var byteCount = 0
    private var isDone = false

    private var temporary: String { path + ".tmp" }

    /// Whether a file could be put there; leaves nothing behind.
    package static func checkPath(_ path: String) throws(StateFailure) {
        let folder = folder(of: path)
        let probe = cplatform_open_temporary(folder)
        if probe >= 0 {
            close(probe)
        } else {
            let failure = StateFailure.system("write in", folder)
            guard failure.isPassing else { throw failure }
        }
        var status = stat()
        // The longest name beside it.
        guard lstat(path + ".damaged.9", &status) == 0 || errno == ENOENT else { throw .system("look at", path) }
        for (name, kinds) in [(path, [S_IFREG]), (path + ".tmp", [S_IFREG, S_IFLNK])] {
            guard lstat(name, &status) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            guard !kinds.contains(kind) else { continue }
            throw StateFailure(
                operation: "replace", path: name, code: kind == S_IFDIR ? EISDIR : kind == S_IFLNK ? ELOOP : EEXIST,
                detail: "it is not a regular file")
        }
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Begins the file. The caller holds the lock, so a temporary file that is there is a dead process's.
    package init(_ path: String) throws(StateFailure) {
        self.path = path
        let temporary = path + ".tmp"
        if unlink(temporary) != 0, errno != ENOENT { throw .system("remove", temporary) }
        file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system("open", temporary) }
    }

    deinit {
        close(file)
        if !isDone { unlink(path + ".tmp") }
    }

    package func write(_ bytes: [UInt8]) throws(StateFailure) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + offset, $0.count - offset) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("write", temporary) }
            offset += count
        }
        byteCount += bytes.count
    }

    /// Puts the file in the place of the old one, both it and its name on the disk.
    package func finish() throws(StateFailure) {
        guard fsync(file) == 0 else { throw .system("fsync", temporary) }
        guard rename(temporary, path) == 0 else { throw .system("rename to", path) }
        isDone = true
        let folder = Self.folder(of: path)
        let folderFile = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folderFile >= 0 else { throw .system("open", folder) }
        defer { close(folderFile) }
        guard fsync(folderFile) == 0 else { throw .system("fsync", folder) }
    }
}
