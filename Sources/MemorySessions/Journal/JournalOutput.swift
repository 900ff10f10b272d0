internal import Glibc

/// A journal's file, to which records are appended.
final class JournalOutput {
    private let path: String
    private let disk: any StateDisk
    private let file: Int32
    private(set) var byteCount: Int

    /// The journal's path beside a state file.
    static func path(beside state: String) -> String { state + ".journal" }

    /// Puts a new file in the place of the old one, both it and its name on the disk, or leaves the old one there.
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
            try disk.put(file, temporary, at: path)
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

    /// Appends records, and puts them on the disk. After an error nothing is known of the file's end: it is not to be used.
    func append(_ records: [UInt8]) throws(StateFailure) {
        try disk.write(records, to: file, path)
        // An error is told once, to whoever asks first, and the pages count as clean then: there is no second try.
        guard disk.sync(file) == 0 else { throw .system("fdatasync", path) }
        byteCount += records.count
    }
}
