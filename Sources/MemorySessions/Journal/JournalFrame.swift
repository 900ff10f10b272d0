/// The frame of a journal's records. The file is two headers (`JournalHeader`), then records: how a session is from then on, so
/// that the last one about an id counts.
///
/// A record, little-endian: the header's mark 8, length of the payload 4, type 4, sequence 8, CRC-32C of the sixteen bytes
/// before and of the payload 4, payload. The checksum goes on from the mark.
///
/// Types: a session (1) and a removal (2), in the form that a snapshot of the store has; a rotation (3), in the store's own: one
/// record, so that no crash comes between its halves.
enum JournalFrame {
    static let byteCount = 28
    private static let checksumOffset = 24

    static func append(_ change: some JournalChange, to output: inout [UInt8], sequence: UInt64, mark: UInt64) {
        let start = output.count
        output.append(littleEndian: mark)
        // What these are is known when the payload is there.
        output.append(contentsOf: [UInt8](repeating: 0, count: byteCount - 8))
        let type = change.append(to: &output)
        output.withUnsafeMutableBytes { bytes in
            let record = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            let length = UInt32(record.count - byteCount)
            record.storeBytes(of: length.littleEndian, toByteOffset: 8, as: UInt32.self)
            record.storeBytes(of: type.rawValue.littleEndian, toByteOffset: 12, as: UInt32.self)
            record.storeBytes(of: sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
            record.storeBytes(
                of: checksum(UnsafeRawBufferPointer(record), mark: mark).littleEndian,
                toByteOffset: checksumOffset, as: UInt32.self)
        }
    }

    /// The checksum of a record's bytes.
    static func checksum(_ record: UnsafeRawBufferPointer, mark: UInt64) -> UInt32 {
        let head = UnsafeRawBufferPointer(rebasing: record[8..<checksumOffset])
        let payload = UnsafeRawBufferPointer(rebasing: record[byteCount...])
        return CRC32C.checksum(
            payload, after: CRC32C.checksum(head, after: UInt32(truncatingIfNeeded: mark)))
    }
}
