/// The head of a snapshot: 72 bytes, of its own (``FileHeader``) journal 4, sequence 8.
///
/// Version 2 is the form of version 1 with a journal beside it (`StateJournal`), without which log-outs would be undone.
package struct SnapshotHeader: FileHeader, Equatable {
    /// Whose sessions the file has: each store has its own form of them, and can read no other's.
    package enum Kind: UInt64, CaseIterable {
        /// Of `MemoryProvider`.
        case own = 0x3153_5441_5453_4C47  // GLSTATS1
        /// PHP's.
        case php = 0x3150_4850_5453_4C47  // GLSTPHP1
    }

    static let magics = Kind.allCases.map(\.rawValue)
    var magic: UInt64 { kind.rawValue }
    static let byteCount = 72
    static let currentVersion: UInt32 = 2
    /// Of a file that is whole without a journal: what programs before the journal can read.
    static let versionWithoutJournal: UInt32 = 1

    let kind: Kind
    var version = SnapshotHeader.versionWithoutJournal
    var time: SnapshotTime
    /// Drawn for this file.
    var mark: UInt64
    /// Which journals were written at the time (`JournalHeader.journal`); 0: none.
    var journal: UInt32 = 0
    /// The last change in them that the file has.
    var sequence: UInt64 = 0

    /// The first change in them that the file has not.
    var nextSequence: UInt64 { sequence.addingReportingOverflow(1).partialValue }

    init(_ kind: Kind = .own, time: SnapshotTime, mark: UInt64) {
        self.kind = kind
        self.time = time
        self.mark = mark
    }

    init(magic: UInt64, version: UInt32, time: SnapshotTime, mark: UInt64, rest: inout SnapshotBytes) {
        // One of them, as it was asked for by them.
        kind = Kind(rawValue: magic) ?? .own
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
