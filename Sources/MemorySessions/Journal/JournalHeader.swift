/// The head of a journal: on top of which state file it belongs, and under which clock it was begun. The file begins with
/// two copies of it.
///
/// 80 bytes, little-endian: magic 8, version 4, flags 4 (bit 0: a clock of the application's own), boot id 16, provider's
/// clock 8, wall clock 8, mark 8, state file's mark 8, first sequence 8, zeros 4, CRC-32C of all that 4. Every version
/// keeps this form.
struct JournalHeader: Equatable {
    static let byteCount = 80
    /// The version of what follows the headers.
    static let currentVersion: UInt32 = 1
    private static let magic: UInt64 = 0x314C_4E52_4A53_4C47  // GLSJRNL1
    private static let checksumOffset = 76

    var version = JournalHeader.currentVersion
    var time: SnapshotTime
    /// Drawn by the process that writes; stands before each record, and names its journals in its state files.
    var mark: UInt64
    /// The mark of the state file that was there when this file was begun; 0: there was none.
    var base: UInt64
    /// The number of the first record; each has one more than the one before.
    var firstSequence: UInt64

    init(time: SnapshotTime, mark: UInt64, base: UInt64, firstSequence: UInt64) {
        self.time = time
        self.mark = mark
        self.base = base
        self.firstSequence = firstSequence
    }

    /// The header of these bytes; nil when they are none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        var reader = SnapshotBytes(bytes)
        guard reader.next() == Self.magic else { return nil }
        version = reader.next()
        time = SnapshotTime(
            hasOwnClock: reader.next(UInt32.self) & 1 == 1, bootID: BootID(reader.next(), reader.next()),
            clock: reader.next(), wall: reader.next())
        mark = reader.next()
        base = reader.next()
        firstSequence = reader.next()
        let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<Self.checksumOffset]))
        let kept = bytes.loadUnaligned(fromByteOffset: Self.checksumOffset, as: UInt32.self)
        guard UInt32(littleEndian: kept) == checksum, time.isPlausible else { return nil }
    }

    /// What a state file calls the journals of one process by.
    var journal: UInt32 { Self.journal(of: mark) }

    static func journal(of mark: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: mark >> 32) }

    func append(to output: inout [UInt8]) {
        let start = output.count
        output.append(littleEndian: Self.magic)
        output.append(littleEndian: version)
        output.append(littleEndian: UInt32(time.hasOwnClock ? 1 : 0))
        output.append(littleEndian: time.bootID.first)
        output.append(littleEndian: time.bootID.second)
        output.append(littleEndian: time.clock)
        output.append(littleEndian: time.wall)
        output.append(littleEndian: mark)
        output.append(littleEndian: base)
        output.append(littleEndian: firstSequence)
        output.append(contentsOf: [UInt8](repeating: 0, count: start + Self.checksumOffset - output.count))
        let checksum = output.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        output.append(littleEndian: checksum)
    }

    /// The records of this journal that a state file does not have yet; nil: it belongs to another one.
    ///
    /// - Parameter state: The header of the state file; nil where there is none.
    func firstSequence(after state: SnapshotHeader?) -> UInt64? {
        guard let state else { return base == 0 ? firstSequence : nil }
        // Written while this journal was: it has all up to a sequence, whatever the journal was begun on.
        if state.journal == journal { return state.sequence + 1 }
        return state.mark == base ? firstSequence : nil
    }
}
