/// The head of a journal: on top of which state file it belongs. 80 bytes, of its own (``FileHeader``) the state file's mark 8, first
/// sequence 8.
struct JournalHeader: FileHeader, Equatable {
    private static let ownMagic: UInt64 = 0x314C_4E52_4A53_4C47  // GLSJRNL1
    private static let phpMagic: UInt64 = 0x3150_4850_4A53_4C47  // GLSJPHP1
    static let magics = [ownMagic, phpMagic]

    var magic: UInt64 {
        switch kind {
        case .own: Self.ownMagic
        case .php: Self.phpMagic
        }
    }
    static let byteCount = 80
    static let currentVersion: UInt32 = 1

    let kind: SnapshotHeader.Kind
    var version = JournalHeader.currentVersion
    var time: SnapshotTime
    /// Drawn by the process that writes; names its journals in its state files.
    var mark: UInt64
    /// The mark of the state file that was there when this file was begun; 0: there was none.
    var base: UInt64
    /// The number of the first record; each has one more than the one before.
    var firstSequence: UInt64

    init(
        _ kind: SnapshotHeader.Kind = .own, time: SnapshotTime, mark: UInt64, base: UInt64, firstSequence: UInt64
    ) {
        self.kind = kind
        self.time = time
        self.mark = mark
        self.base = base
        self.firstSequence = firstSequence
    }

    init(magic: UInt64, version: UInt32, time: SnapshotTime, mark: UInt64, rest: inout SnapshotBytes) {
        self.init(
            magic == Self.phpMagic ? .php : .own, time: time, mark: mark, base: rest.next(), firstSequence: rest.next())
        self.version = version
    }

    func appendRest(to output: inout [UInt8]) {
        output.append(littleEndian: base)
        output.append(littleEndian: firstSequence)
    }

    /// What a state file calls the journals of one process by.
    var journal: UInt32 { Self.journal(of: mark) }

    static func journal(of mark: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: mark >> 32) }

    /// The records of this journal that a state file does not have yet; nil: it belongs to another one.
    ///
    /// - Parameter state: The header of the state file; nil where there is none.
    func firstSequence(after state: SnapshotHeader?) -> UInt64? {
        guard let state else { return base == 0 ? firstSequence : nil }
        // Written while this journal was: it has all up to a sequence, whatever the journal was begun on.
        if state.journal == journal { return state.nextSequence }
        return state.mark == base ? firstSequence : nil
    }
}
