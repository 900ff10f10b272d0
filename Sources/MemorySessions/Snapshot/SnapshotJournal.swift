internal import GalletaPlatform
internal import Sessions
internal import Synchronization

/// The ids that moved or ended while a snapshot is taken. Thread-safe; a shard's lock may be held.
///
/// Notes are made under the lock of the shard where the change happens, so a change whose note is missing happened
/// before that shard was copied.
final class SnapshotJournal: Sendable {
    struct Note {
        var id: SessionID
        var isDigest: Bool
    }

    private static let chunkCount = 1_024

    private let isOn = Atomic<Bool>(false)
    /// In pieces: no note has to wait for a long array to move.
    private let chunks = Locked<[[Note]]>([])

    func begin() {
        isOn.store(true, ordering: .releasing)
    }

    func end() {
        isOn.store(false, ordering: .releasing)
        chunks.withLock { $0 = [] }
    }

    /// Costs one load while no snapshot is taken.
    @inline(__always)
    func note(_ id: SessionID, isDigest: Bool) {
        guard isOn.load(ordering: .acquiring) else { return }
        append(Note(id: id, isDigest: isDigest))
    }

    /// The notes until now, which are forgotten.
    func take() -> [[Note]] {
        chunks.withLock { chunks in
            defer { chunks = [] }
            return chunks
        }
    }

    @inline(never)
    private func append(_ note: Note) {
        chunks.withLock { chunks in
            if chunks.last.map({ $0.count == Self.chunkCount }) ?? true {
                chunks.append([])
                chunks[chunks.count - 1].reserveCapacity(Self.chunkCount)
            }
            chunks[chunks.count - 1].append(note)
        }
    }
}
