internal import Glibc

/// A state file that may be read: a regular file of this user's, which nobody else can have written.
final class StateInput {
    private let file: Int32
    private let path: String

    /// - Throws: Also with code `ENOENT`, when there is none.
    init(_ path: String) throws(StateFailure) {
        self.path = path
        // Without waiting, as for the other end of a pipe.
        file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw .system("open", path) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .system("stat", path) }
        if let reason = Self.objection(to: status) {
            throw StateFailure(operation: "read", path: path, code: 0, detail: reason)
        }
    }

    deinit {
        close(file)
    }

    private static func objection(to status: stat) -> String? {
        if status.st_mode & S_IFMT == S_IFDIR { return "it is a folder" }
        if status.st_mode & S_IFMT != S_IFREG { return "it is not a regular file" }
        if status.st_uid != geteuid() { return "it belongs to another user (id \(status.st_uid))" }
        if status.st_mode & (S_IWGRP | S_IWOTH) != 0 { return "others may write it (chmod 0600)" }
        return nil
    }

    /// Fills `buffer`; 0 at the end. An error ends the file, too: what was read is kept.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            return count
        }
    }

    /// Gives the file at `path` another name beside it, so that the next snapshot does not replace it; where a file can have one
    /// name only, a copy.
    ///
    /// - Returns: The name; nil when all are taken or the system refuses.
    static func keepAside(_ path: String, as suffix: String) -> String? {
        for number in 1...9 {
            let name = path + suffix + (number == 1 ? "" : ".\(number)")
            if link(path, name) == 0 { return name }
            if errno == EEXIST { continue }
            guard [EPERM, EOPNOTSUPP, EMLINK].contains(errno) else { return nil }
            if copy(path, to: name) { return name }
            guard errno == EEXIST else { return nil }
        }
        return nil
    }
    /// Copies a file to a name that is free, with mode 0600. False where that fails: there is no half of a copy then.
    static func copy(_ path: String, to name: String) -> Bool {
        let source = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard source >= 0 else { return false }
        defer { close(source) }
        let target = Glibc.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard target >= 0 else { return false }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = Glibc.read(source, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count == 0 { return true }
            do throws(StateFailure) {
                guard count > 0 else { throw .system("read", path) }
                try SystemDisk().write(Array(buffer[..<count]), to: target, name)
            } catch {
                _ = unlink(name)
                errno = error.code
                return false
            }
        }
    }
}
