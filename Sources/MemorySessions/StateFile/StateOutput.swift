internal import CPlatform
internal import Glibc

/// A state file on its way: written beside the old one, which it replaces at the end or not at all.
final class StateOutput {
    private let path: String
    private let disk: any StateDisk
    private let file: Int32
    private(set) var byteCount = 0
    private var isDone = false

    private var temporary: String { path + ".tmp" }

    /// Whether a file could be put there, and its journal beside it; leaves nothing behind.
    static func checkPath(_ path: String) throws(StateFailure) {
        let folder = folder(of: path)
        let probe = cplatform_open_temporary(folder)
        if probe >= 0 {
            close(probe)
        } else {
            let failure = StateFailure.system("write in", folder)
            guard failure.isPassing else { throw failure }
        }
        var status = stat()
        let journal = JournalOutput.path(beside: path)
        // The longest name beside it.
        guard lstat(journal + ".damaged.9", &status) == 0 || errno == ENOENT else { throw .system("look at", path) }
        for name in [path, journal] {
            for (name, kinds) in [(name, [S_IFREG]), (name + ".tmp", [S_IFREG, S_IFLNK])] {
                guard lstat(name, &status) == 0 else { continue }
                let kind = status.st_mode & S_IFMT
                guard !kinds.contains(kind) else { continue }
                throw StateFailure(
                    operation: "replace", path: name, code: kind == S_IFDIR ? EISDIR : kind == S_IFLNK ? ELOOP : EEXIST,
                    detail: "it is not a regular file")
            }
        }
    }

    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Begins the file. The caller holds the lock, so a temporary file that is there is a dead process's.
    convenience init(_ path: String) throws(StateFailure) {
        try self.init(path, on: SystemDisk())
    }

    /// Begins it on a disk.
    init(_ path: String, on disk: any StateDisk) throws(StateFailure) {
        self.path = path
        self.disk = disk
        file = try disk.begin(path + ".tmp")
    }

    deinit {
        close(file)
        if !isDone { _ = disk.unlink(temporary) }
    }

    func write(_ bytes: [UInt8]) throws(StateFailure) {
        try disk.write(bytes, to: file, temporary)
        byteCount += bytes.count
    }

    /// Puts the file in the place of the old one, both it and its name on the disk.
    func finish() throws(StateFailure) {
        guard disk.sync(file) == 0 else { throw .system("fdatasync", temporary) }
        guard disk.rename(temporary, to: path) == 0 else { throw .system("rename to", path) }
        isDone = true
        guard disk.syncFolder(of: path) == 0 else { throw .system("fsync", Self.folder(of: path)) }
    }
}

extension StateDisk {
    /// Makes a temporary file, in the place of one that is there.
    func begin(_ temporary: String) throws(StateFailure) -> Int32 {
        if unlink(temporary) != 0, errno != ENOENT { throw .system("remove", temporary) }
        let file = create(temporary)
        guard file >= 0 else { throw .system("open", temporary) }
        return file
    }
}
