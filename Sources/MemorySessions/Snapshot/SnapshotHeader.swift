/// The head of a snapshot: 72 bytes, of its own (``FileHeader``) journal 4, sequence 8.
///
/// Version 2 is the form of version 1 with a journal beside it (`StateJournal`), without which log-outs would be undone.
struct SnapshotHeader: FileHeader, Equatable {
    static let magic: UInt64 = 0x3153_5441_5453_4C47  // GLSTATS1
    static let byteCount = 72
    static let currentVersion: UInt32 = 2
    /// Of a file that is whole without a journal: what programs before the journal can read.
    static let versionWithoutJournal: UInt32 = 1

    var version = SnapshotHeader.versionWithoutJournal
    var time: SnapshotTime
    /// Drawn for this file.
    var mark: UInt64
    /// Which journals were written at the time (`JournalHeader.journal`); 0: none.
    var journal: UInt32 = 0
    /// The last change in them that the file has.
    var sequence: UInt64 = 0

    init(time: SnapshotTime, mark: UInt64) {
        self.time = time
        self.mark = mark
    }

    init(version: UInt32, time: SnapshotTime, mark: UInt64, rest: inout SnapshotBytes) {
        self.version = version
        self.time = time
        self.mark = mark
        journal = rest.next()
        sequence = rest.next()
    }

    func appendRest(to output: inout [UInt8]) {
        output.append(littleEndian: journal)
        output.append(littleEndian: sequence)
    }
}
