internal import MemorySessions

/// What a record of a state file or a journal of PHP's sessions says.
///
/// Payloads, little-endian: a session: SHA-256 of its id 32, deadline 8 (nanoseconds since 1970), reference 8, PHP's own bytes, which
/// tell whose it is. A removal: SHA-256 of the id. A rotation: SHA-256 of the old id 32, and the session.
enum MemoryEntry: JournalChange {
    case session(MemoryTable.Session)
    case removal(IDDigest)
    case rotation(from: IDDigest, MemoryTable.Session)

    /// Nil for a record that makes no sense.
    ///
    /// - Parameter owner: Tells by PHP's bytes whose a session is.
    init?(_ record: StateRecord, _ owner: ([UInt8]) -> SessionOwner?) {
        switch record {
        case .session(let bytes):
            guard let session = MemoryTable.Session(bytes, owner) else { return nil }
            self = .session(session)
        case .removal(let bytes):
            guard let digest = IDDigest(bytes: bytes) else { return nil }
            self = .removal(digest)
        case .rotation(let bytes):
            guard let old = IDDigest(bytes: bytes.prefix(32)),
                let session = MemoryTable.Session(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(32)), owner)
            else { return nil }
            self = .rotation(from: old, session)
        }
    }

    func append(to output: inout [UInt8]) -> JournalRecordType {
        switch self {
        case .session(let session):
            session.append(to: &output)
            return .session
        case .removal(let digest):
            output += digest.bytes
            return .removal
        case .rotation(let old, let session):
            output += old.bytes
            session.append(to: &output)
            return .rotation
        }
    }
}

extension MemoryTable.Session {
    /// Nil for bytes that make no sense.
    fileprivate init?(_ bytes: UnsafeRawBufferPointer, _ owner: ([UInt8]) -> SessionOwner?) {
        guard let digest = IDDigest(bytes: bytes.prefix(32)) else { return nil }
        var reader = SnapshotBytes(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(32)))
        let (deadline, reference) = (reader.next(Int64.self), reader.next(UInt64.self))
        guard !reader.isShort else { return nil }
        let rest = Array(reader.rest)
        self.init(digest: digest, bytes: rest, deadline: deadline, owner: owner(rest), reference: reference)
    }

    func append(to output: inout [UInt8]) {
        output += digest.bytes
        output.append(littleEndian: deadline)
        output.append(littleEndian: reference)
        output += bytes
    }
}
