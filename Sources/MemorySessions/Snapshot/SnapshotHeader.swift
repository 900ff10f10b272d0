/// The head of a snapshot: when and under which clock it was taken. The file begins with two copies of it.
///
/// 72 bytes, little-endian: magic 8, version 4, flags 4 (bit 0: a clock of the application's own), boot id 16, provider's
/// clock 8, wall clock 8, mark 8, journal 4, sequence 8, CRC-32C of all that 4. Every version keeps this form. Version 2 is
/// the form of version 1 with a journal beside it (`StateJournal`), without which log-outs would be undone.
struct SnapshotHeader: Equatable {
    static let byteCount = 72
    /// The version of what follows the headers.
    static let currentVersion: UInt32 = 2
    /// Of a file that is whole without a journal: what programs before the journal can read.
    static let versionWithoutJournal: UInt32 = 1
    private static let magic: UInt64 = 0x3153_5441_5453_4C47  // GLSTATS1
    private static let checksumOffset = 68

    var version = SnapshotHeader.versionWithoutJournal
    var time: SnapshotTime
    /// Drawn for this file; stands before each record. Visitors do not know it, so no value of theirs passes for a record.
    var mark: UInt64
    /// Which journals were written at the time (`JournalHeader.journal`); 0: none.
    var journal: UInt32 = 0
    /// The last change in them that the file has.
    var sequence: UInt64 = 0

    init(time: SnapshotTime, mark: UInt64) {
        self.time = time
        self.mark = mark
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
        journal = reader.next()
        sequence = reader.next()
        let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<Self.checksumOffset]))
        let kept = bytes.loadUnaligned(fromByteOffset: Self.checksumOffset, as: UInt32.self)
        guard UInt32(littleEndian: kept) == checksum, time.isPlausible else { return nil }
    }

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
        output.append(littleEndian: journal)
        output.append(littleEndian: sequence)
        let checksum = output.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        output.append(littleEndian: checksum)
    }
}
