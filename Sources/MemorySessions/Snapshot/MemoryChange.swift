internal import Sessions

/// A change of who is logged in, as it was made under a shard's lock.
struct MemoryChange: JournalChange {
    enum Kind {
        /// A session is this one from now on: a log-in, a changed lifetime. With the number behind a user's reference to it.
        case session(MemorySlot, serial: UInt64)
        /// A session has got another id; the old one leads to it until the grace ends, a moment of the provider's clock (0:
        /// not at all).
        case rotation(MemorySlot, serial: UInt64, from: MemoryKey, graceEnd: Int64)
        /// A session has ended.
        case removal(MemoryKey, isDigest: Bool)
    }

    let kind: Kind
    let restored: RestoredIDs

    init(_ kind: Kind, _ restored: RestoredIDs) {
        self.kind = kind
        self.restored = restored
    }

    func append(to output: inout [UInt8]) -> JournalRecordType { entry.append(to: &output) }

    /// As the file has it: with digests in the place of ids.
    private var entry: MemoryEntry {
        switch kind {
        case .session(let slot, let serial):
            return .session(session(slot, serial))
        case .removal(let id, let isDigest):
            return .removal(restored.digest(id, isDigest: isDigest))
        case .rotation(let slot, let serial, let old, let graceEnd):
            // Without a grace the old id leads nowhere, and who knows it must not open this record with it.
            let sealed =
                graceEnd == 0
                ? nil : SessionID(bytes: SessionID(words: slot.id).sealed(with: SessionID(words: old)))
            return .rotation(
                from: IDDigest.of(old), graceEnd: min(graceEnd, SnapshotTime.limit - 1),
                // 32 bytes, as the id has.
                sealed: sealed?.words ?? .zero, session(slot, serial))
        }
    }

    private func session(_ slot: MemorySlot, _ serial: UInt64) -> SnapshotSession {
        SnapshotSession(slot, digest: restored.digest(slot.id, isDigest: slot.isDigest), serial: serial)
    }
}
