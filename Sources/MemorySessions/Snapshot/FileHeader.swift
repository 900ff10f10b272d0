/// The head of a file of sessions: when and under which clock it was begun. The file begins with two copies of it, so that one
/// damaged byte does not cost all of it.
///
/// Little-endian: magic 8, version 4, flags 4 (bit 0: a clock of the application's own), boot id 16, provider's clock 8, wall
/// clock 8, mark 8, what the kind of file adds, zeros, CRC-32C of all that 4. Every version keeps this form.
protocol FileHeader {
    /// With what the file begins; of each kind of content that there is.
    static var magics: [UInt64] { get }
    var magic: UInt64 { get }
    /// All of it.
    static var byteCount: Int { get }
    /// The newest version that this program knows, of what follows the headers.
    static var currentVersion: UInt32 { get }

    var version: UInt32 { get }
    var time: SnapshotTime { get }
    /// Stands before each record. Visitors do not know it, so no value of theirs passes for a record.
    var mark: UInt64 { get }

    init(magic: UInt64, version: UInt32, time: SnapshotTime, mark: UInt64, rest: inout SnapshotBytes)
    /// What the kind of file adds.
    func appendRest(to output: inout [UInt8])
}

extension FileHeader {
    private static var checksumOffset: Int { byteCount - 4 }

    /// The header of these bytes; nil when they are none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        var reader = SnapshotBytes(bytes)
        let magic = reader.next(UInt64.self)
        guard Self.magics.contains(magic) else { return nil }
        let version = reader.next(UInt32.self)
        let time = SnapshotTime(
            hasOwnClock: reader.next(UInt32.self) & 1 == 1, bootID: BootID(reader.next(), reader.next()),
            clock: reader.next(), wall: reader.next())
        self.init(magic: magic, version: version, time: time, mark: reader.next(), rest: &reader)
        let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<Self.checksumOffset]))
        let kept = bytes.loadUnaligned(fromByteOffset: Self.checksumOffset, as: UInt32.self)
        guard UInt32(littleEndian: kept) == checksum, time.isPlausible else { return nil }
    }

    func append(to output: inout [UInt8]) {
        let start = output.count
        output.append(littleEndian: magic)
        output.append(littleEndian: version)
        output.append(littleEndian: UInt32(time.hasOwnClock ? 1 : 0))
        output.append(littleEndian: time.bootID.first)
        output.append(littleEndian: time.bootID.second)
        output.append(littleEndian: time.clock)
        output.append(littleEndian: time.wall)
        output.append(littleEndian: mark)
        appendRest(to: &output)
        output.append(contentsOf: [UInt8](repeating: 0, count: start + Self.checksumOffset - output.count))
        let checksum = output.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        output.append(littleEndian: checksum)
    }
}

extension SnapshotWindow {
    /// Goes past the two headers.
    ///
    /// - Returns: What the stream is; one of the two if records of a known version may follow; and whether the other is damaged.
    mutating func readHeaders<Header: FileHeader>(
        as type: Header.Type
    ) -> (outcome: SnapshotReport.Outcome, header: Header?, isDamaged: Bool) {
        guard fill(1) else { return (.empty, nil, false) }
        _ = fill(2 * Header.byteCount)
        let headers = withBytes { bytes in
            [0, Header.byteCount].map { start in
                start < bytes.count ? Header(UnsafeRawBufferPointer(rebasing: bytes[start...])) : nil
            }
        }
        guard let header = headers[0] ?? headers[1] else { return (.unreadable, nil, false) }
        guard header.version <= Header.currentVersion else { return (.newer(header.version), nil, false) }
        skip(2 * Header.byteCount)
        return (.read, header, headers.contains { $0 == nil })
    }
}
