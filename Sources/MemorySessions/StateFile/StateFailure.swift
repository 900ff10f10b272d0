internal import GalletaPlatform
internal import Glibc

/// Why a state file could not be read, locked or written.
package struct StateFailure: Error {
    /// What was tried, in a word or two.
    let operation: String
    let path: String
    /// The system's error number; 0 when the reason is in `detail`.
    let code: Int32
    let detail: String

    /// The system's refusal of a call that was just made.
    static func system(_ operation: String, _ path: String) -> StateFailure {
        let code = errno
        return StateFailure(operation: operation, path: path, code: code, detail: String(cString: strerror(code)))
    }

    /// What the operator can do.
    var remedy: String {
        switch code {
        case ENOSPC, EDQUOT: "make room on the disk"
        case EFBIG: "raise the limit on the size of files (ulimit -f)"
        case EACCES, EPERM: "give the process's user the right to write in the folder"
        case ENOENT, ENOTDIR: "create the folder, or give another path"
        case EROFS: "give a path on a file system that can be written"
        case EISDIR: "give the path of a file"
        case EEXIST: "give the path of a regular file, or of none yet"
        case EMFILE, ENFILE: "raise the limit on open files"
        case ELOOP: "give the path that the symbolic link leads to"
        default: "check the path and the disk"
        }
    }

    /// Whether time may help: then it is tried again, while others are refused at the start.
    var isPassing: Bool {
        switch code {
        case ENOSPC, EDQUOT, EFBIG, EMFILE, ENFILE, ENOMEM, EIO: true
        default: false
        }
    }

    /// As the refusal of a configuration's state file.
    func refusal(of file: String) -> ConfigurationError {
        ConfigurationError(
            field: "state",
            reason: "sessions cannot be kept in \(file): \(text)",
            remedy: "\(remedy)")
    }

    /// Made short, for a log line.
    var text: String { "\(operation) \(path): \(detail)" }
}
