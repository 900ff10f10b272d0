internal import GalletaPlatform
internal import Glibc

/// The bytes of a password file, and what shows that it was changed.
struct FileContent {
    let bytes: [UInt8]
    let isWorldReadable: Bool
    /// Of before the reading, so that a change meanwhile shows.
    let version: Version

    /// Changes with the file's content, and when another file takes its place.
    struct Version: Equatable {
        private let device: dev_t
        private let inode: ino_t
        private let size: off_t
        private let changed: [Int]
        /// The later of the times at which content and attributes were changed; nanoseconds of the wall clock.
        let nanoseconds: Int64

        fileprivate init(_ status: stat) {
            device = status.st_dev
            inode = status.st_ino
            size = status.st_size
            changed = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
            nanoseconds = max(
                Int64(nanosecondsOf: status.st_mtim.tv_sec, status.st_mtim.tv_nsec),
                Int64(nanosecondsOf: status.st_ctim.tv_sec, status.st_ctim.tv_nsec))
        }

        /// Nil when the file cannot be looked at.
        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            self.init(status)
        }
    }

    /// - Throws: ``ConfigurationError`` for a file that is missing, not readable, not regular or too large.
    init(path: String) throws(ConfigurationError) {
        // O_NONBLOCK: a FIFO must not hang the start; regular files ignore it.
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard fd >= 0 else { throw Self.openError(path, errno) }
        defer { close(fd) }
        var status = stat()
        guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ConfigurationError(
                passwordFile: path, reason: "it is not a regular file", remedy: "give the path of a file")
        }
        isWorldReadable = status.st_mode & S_IROTH != 0
        version = Version(status)

        // One byte more than the largest file, so that one which grows meanwhile is noticed too.
        var buffer = [UInt8](repeating: 0, count: Htpasswd.maxFileBytes + 1)
        var filled = 0
        while filled < buffer.count {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress! + filled, $0.count - filled) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw ConfigurationError(
                    passwordFile: path, reason: "cannot read it: \(String(cString: strerror(errno)))",
                    remedy: "check the file and its disk")
            }
            if count == 0 { break }
            filled += count
        }
        guard filled <= Htpasswd.maxFileBytes else {
            throw ConfigurationError(
                passwordFile: path, reason: "it is larger than \(Htpasswd.maxFileBytes) bytes",
                remedy: "is it the right file?")
        }
        bytes = Array(buffer[..<filled])
    }

    private static func openError(_ path: String, _ code: Int32) -> ConfigurationError {
        let remedy =
            switch code {
            case ENOENT: "make it with: htpasswd -B -c \(path) USER"
            case EACCES:
                "let the user that runs the server read it, for example by: chgrp GROUP \(path); chmod 640 \(path)"
            default: "check the path"
            }
        return ConfigurationError(
            passwordFile: path, reason: "cannot open it: \(String(cString: strerror(code)))", remedy: remedy)
    }
}

extension ConfigurationError {
    /// An error of a password file.
    ///
    /// - Parameter line: The number of the line, from 1; nil when it is about the whole file.
    init(passwordFile path: String, line: Int? = nil, reason: String, remedy: String) {
        self.init(field: "path", reason: "\(path)\(line.map { ", line \($0)" } ?? ""): \(reason)", remedy: remedy)
    }
}
