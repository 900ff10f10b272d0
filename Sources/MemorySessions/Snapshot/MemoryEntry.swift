internal import Sessions

/// What a record of a state file or a journal of `MemoryProvider` says.
///
/// Payloads: a session, `SnapshotSession`. A removal: SHA-256 of the id. A rotation: SHA-256 of the old id 32, the end of its
/// grace 8 (nanoseconds of the provider's clock; 0: none), the new id sealed with the old one 32, and the session.
enum MemoryEntry: JournalChange {
    case session(SnapshotSession)
    case removal(MemoryKey)
    case rotation(from: MemoryKey, graceEnd: Int64, sealed: MemoryKey, SnapshotSession)

    /// Nil for a record that makes no sense.
    init?(_ record: StateRecord) {
        switch record {
        case .session(let bytes):
            guard let session = SnapshotSession(bytes) else { return nil }
            self = .session(session)
        case .removal(let bytes):
            var reader = SnapshotBytes(bytes)
            let digest = reader.id()
            guard !reader.isShort, reader.rest.isEmpty else { return nil }
            self = .removal(digest)
        case .rotation(let bytes):
            var reader = SnapshotBytes(bytes)
            let (old, graceEnd, sealed) = (reader.id(), reader.next(Int64.self), reader.id())
            guard !reader.isShort, graceEnd >= 0, graceEnd < SnapshotTime.limit,
                let session = SnapshotSession(reader.rest)
            else { return nil }
            self = .rotation(from: old, graceEnd: graceEnd, sealed: sealed, session)
        }
    }

    func append(to output: inout [UInt8]) -> JournalRecordType {
        switch self {
        case .session(let session):
            session.append(to: &output)
            return .session
        case .removal(let digest):
            output.append(digest)
            return .removal
        case .rotation(let old, let graceEnd, let sealed, let session):
            output.append(old)
            output.append(littleEndian: graceEnd)
            output.append(sealed)
            session.append(to: &output)
            return .rotation
        }
    }
}

extension SnapshotBytes {
    mutating func id() -> MemoryKey {
        MemoryKey(next(), next(), next(), next())
    }
}
