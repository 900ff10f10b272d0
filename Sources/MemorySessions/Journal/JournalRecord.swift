internal import Sessions

/// One record of a journal: how a session is from then on, so that the last one about an id counts.
///
/// The file is two headers (`JournalHeader`), then records. A record, little-endian: the header's mark 8, length of the
/// payload 4, type 4, sequence 8, CRC-32C of the sixteen bytes before and of the payload 4, payload. The checksum goes on
/// from the mark.
///
/// Payloads: a session (1), in the form that a snapshot has. A removal (2): SHA-256 of the id. A rotation (3): SHA-256 of
/// the old id 32, the end of its grace 8 (nanoseconds of the provider's clock; 0: none), the new id sealed with the old one
/// 32, and the session as in (1). A rotation is one record, so that no crash comes between its halves.
enum JournalRecord {
    case session(SnapshotSession)
    case removal(MemoryKey)
    case rotation(from: MemoryKey, graceEnd: Int64, sealed: MemoryKey, SnapshotSession)

    static let frameCount = 28
    static let checksumOffset = 24

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
            let (old, graceEnd, sealed) = (reader.id(), reader.next(Int64.self), reader.id())
            guard !reader.isShort, graceEnd >= 0, graceEnd < SnapshotTime.limit,
                let session = SnapshotSession(reader.rest)
            else { return nil }
            self = .rotation(from: old, graceEnd: graceEnd, sealed: sealed, session)
        default:
            return nil
        }
    }

    var type: UInt32 {
        switch self {
        case .session: 1
        case .removal: 2
        case .rotation: 3
        }
    }

    private func appendPayload(to output: inout [UInt8]) {
        switch self {
        case .session(let session):
            session.append(to: &output)
        case .removal(let digest):
            output.append(digest)
        case .rotation(let old, let graceEnd, let sealed, let session):
            output.append(old)
            output.append(littleEndian: graceEnd)
            output.append(sealed)
            session.append(to: &output)
        }
    }

    func append(to output: inout [UInt8], sequence: UInt64, mark: UInt64) {
        let start = output.count
        output.append(littleEndian: mark)
        // The length and the checksum are known when the payload is there.
        output.append(littleEndian: UInt32(0))
        output.append(littleEndian: type)
        output.append(littleEndian: sequence)
        output.append(littleEndian: UInt32(0))
        appendPayload(to: &output)
        output.withUnsafeMutableBytes { bytes in
            let record = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            let length = UInt32(record.count - Self.frameCount)
            record.storeBytes(of: length.littleEndian, toByteOffset: 8, as: UInt32.self)
            record.storeBytes(
                of: Self.checksum(UnsafeRawBufferPointer(record), mark: mark).littleEndian,
                toByteOffset: Self.checksumOffset, as: UInt32.self)
        }
    }

    /// The checksum of a record's bytes.
    static func checksum(_ record: UnsafeRawBufferPointer, mark: UInt64) -> UInt32 {
        let head = UnsafeRawBufferPointer(rebasing: record[8..<checksumOffset])
        let payload = UnsafeRawBufferPointer(rebasing: record[frameCount...])
        return CRC32C.checksum(
            payload, after: CRC32C.checksum(head, after: UInt32(truncatingIfNeeded: mark)))
    }
}

extension JournalRecord {
    /// A change as the file has it: with digests in the place of ids.
    init(_ change: JournalChange, _ restored: RestoredIDs) {
        switch change {
        case .session(let slot, let serial):
            self = .session(Self.session(slot, serial, restored))
        case .removal(let id, let isDigest):
            self = .removal(restored.digest(id, isDigest: isDigest))
        case .rotation(let slot, let serial, let old, let graceEnd):
            // Without a grace the old id leads nowhere, and who knows it must not open this record with it.
            let sealed =
                graceEnd == 0
                ? nil : SessionID(bytes: SessionID(words: slot.id).sealed(with: SessionID(words: old)))
            self = .rotation(
                from: IDDigest.of(old), graceEnd: min(graceEnd, SnapshotTime.limit - 1),
                // 32 bytes, as the id has.
                sealed: sealed?.words ?? .zero, Self.session(slot, serial, restored))
        }
    }

    private static func session(_ slot: MemorySlot, _ serial: UInt64, _ restored: RestoredIDs) -> SnapshotSession {
        SnapshotSession(slot, digest: restored.digest(slot.id, isDigest: slot.isDigest), serial: serial)
    }
}
