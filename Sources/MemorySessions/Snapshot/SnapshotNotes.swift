internal import GalletaPlatform
internal import Sessions
internal import Synchronization

/// What moves or ends while a snapshot is taken, in the order in which it happens. Thread-safe; shards' locks may be held.
///
/// Notes are made under the lock of the shard where the change happens, so a change whose note is missing happened
/// before that shard was copied, or after the notes' end.
final class SnapshotNotes: Sendable {
    enum Note {
        /// The session as it was when it got this id or these deadlines.
        case session(MemorySlot)
        case removal(MemoryKey, isDigest: Bool)
    }

    private static let chunkCount = 1_024

    private let isOn = Atomic<Bool>(false)
    private let beginning = Atomic<Int64>(0)
    /// In pieces: no note has to wait for a long array to move.
    private let chunks = Locked<[[Note]]>([])

    func begin(at now: Int64) {
        beginning.store(now, ordering: .relaxed)
        chunks.withLock { $0 = [] }
        isOn.store(true, ordering: .releasing)
    }

    /// Ends the notes, and gives them.
    func end() -> [[Note]] {
        isOn.store(false, ordering: .releasing)
        return chunks.withLock { chunks in
            defer { chunks = [] }
            return chunks
        }
    }

    /// Notes that a session has this id or these deadlines now. Costs one load while no snapshot is taken.
    ///
    /// - Parameter old: The id that it had before, which leads nowhere after a restart.
    @inline(__always)
    func changed(_ slot: MemorySlot, from old: MemoryKey? = nil) {
        guard isOn.load(ordering: .acquiring) else { return }
        append(old.map { .removal($0, isDigest: false) }, .session(slot))
    }

    /// Notes that a session ended. Costs one load while no snapshot is taken.
    @inline(__always)
    func ended(_ slot: MemorySlot) {
        guard isOn.load(ordering: .acquiring), slot.kind.isSession else { return }
        // What had expired before is not in the snapshot.
        guard slot.deadline > beginning.load(ordering: .relaxed) else { return }
        append(nil, .removal(slot.id, isDigest: slot.isDigest))
    }

    /// Both or none are among the notes, whenever they end.
    @inline(never)
    private func append(_ first: Note?, _ second: Note) {
        chunks.withLock { chunks in
            if chunks.last.map({ $0.count + 2 > Self.chunkCount }) ?? true {
                chunks.append([])
                chunks[chunks.count - 1].reserveCapacity(Self.chunkCount)
            }
            if let first { chunks[chunks.count - 1].append(first) }
            chunks[chunks.count - 1].append(second)
        }
    }
}
