internal import Sessions

/// One record of a snapshot. The file is two headers (`SnapshotHeader`), then records, the last one `end`.
///
/// A record, little-endian: the header's mark 8, length of the payload 4, type 4, CRC-32C of the payload 4, CRC-32C of
/// the twenty bytes before 4, payload. The two checksums go on from the mark. Whatever byte is damaged costs one
/// record: the next mark leads to the next one.
///
/// Payloads: a session (1): SHA-256 of the id 32, created 8, last seen 8, idle timeout 8, absolute deadline 8 (all
/// nanoseconds of the provider's clock), reference 8 (0: none), version 4, zeros 4, and the values as `SessionValues`
/// encodes them. A removal (2): SHA-256 of an id that ended, or changed, while the snapshot was taken. The end (3):
/// number of session records 8, of removals 8. Of several records of one id the last one counts; each removal stands
/// twice, as losing it would bring a dead id back.
enum SnapshotRecord {
    case session(SnapshotSession)
    case removal(MemoryKey)
    case end(sessions: UInt64, removals: UInt64)

    static let frameCount = 24
    /// The most bytes of a payload; a session beyond is not written.
    static let limit = 256 << 20

    /// The type and the payload of bytes whose checksum is right; nil when they make no sense.
    init?(type: UInt32, _ bytes: UnsafeRawBufferPointer) {
        var reader = SnapshotBytes(bytes)
        switch type {
        case 1:
            guard let session = SnapshotSession(bytes) else { return nil }
            self = .session(session)
        case 2:
            guard let digest = reader.onlyID() else { return nil }
            self = .removal(digest)
        case 3:
            self = .end(sessions: reader.next(), removals: reader.next())
            guard !reader.isShort, reader.rest.isEmpty else { return nil }
        default:
            return nil
        }
    }
}

extension SnapshotBytes {
    mutating func id() -> MemoryKey {
        MemoryKey(next(), next(), next(), next())
    }

    /// An id, where there is nothing else.
    mutating func onlyID() -> MemoryKey? {
        let id = id()
        return isShort || !rest.isEmpty ? nil : id
    }
}
