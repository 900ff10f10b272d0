internal import Glibc

/// A journal's file, to which records are appended.
final class JournalOutput {
    private let path: String
    private let disk: any StateDisk
    private let file: Int32
    private(set) var byteCount: Int

    /// The journal's path beside a state file.
    static func path(beside state: String) -> String { state + ".journal" }

    /// Makes a file beside the one that is there, and puts it on the disk.
    ///
    /// - Parameter tail: The records with which it begins.
    init(_ path: String, _ header: JournalHeader, tail: [UInt8], on disk: any StateDisk) throws(StateFailure) {
        let temporary = path + ".tmp"
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        header.append(to: &bytes)
        bytes += tail
        let file = try disk.begin(temporary)
        do throws(StateFailure) {
            try disk.write(bytes, to: file, temporary)
            guard disk.sync(file) == 0 else { throw .system("fdatasync", temporary) }
        } catch {
            close(file)
            _ = disk.unlink(temporary)
            throw error
        }
        self.path = path
        self.disk = disk
        self.file = file
        byteCount = bytes.count
    }

    deinit {
        close(file)
    }

    /// Puts it in the place of the one that is there, which stays there where this fails.
    func takePlace() throws(StateFailure) {
        guard disk.rename(path + ".tmp", to: path) == 0 else {
            let failure = StateFailure.system("rename to", path)
            _ = disk.unlink(path + ".tmp")
            throw failure
        }
    }

    /// Puts its name on the disk. Where this fails a crash may leave it or the one before.
    func syncName() throws(StateFailure) {
        guard disk.syncFolder(of: path) == 0 else { throw .system("fsync", StateOutput.folder(of: path)) }
    }

    /// Appends records, and puts them on the disk. After an error nothing is known of the file's end: it is not to be used.
    func append(_ records: [UInt8]) throws(StateFailure) {
        try disk.write(records, to: file, path)
        // An error is told once, to whoever asks first, and the pages count as clean then: there is no second try.
        guard disk.sync(file) == 0 else { throw .system("fdatasync", path) }
        byteCount += records.count
    }
}
