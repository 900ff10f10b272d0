internal import GalletaPlatform
internal import Sessions

/// Takes a snapshot of a store, while it is in use.
///
/// Copies 64 slots at most in one hold of a shard's lock, and encodes them after it. Sessions that move or end meanwhile
/// are noted, and written again at the end.
struct SnapshotTaker {
    /// Encoded bytes that are written at once.
    private static let pieceCount = 256 << 10

    private let store: MemoryStore
    private let now: Int64
    private var encoder: SnapshotEncoder
    private var copies: [MemorySlot] = []
    /// Sessions too large for a record.
    private(set) var oversized = 0
    private var removed: Set<MemoryKey> = []

    init(of store: MemoryStore, _ header: SnapshotHeader) {
        self.store = store
        now = header.time.clock
        encoder = SnapshotEncoder(header)
        copies.reserveCapacity(MemoryStore.sliceLimit)
    }

    /// The number of sessions written.
    var sessions: Int { Int(encoder.sessions) }

    /// - Parameters:
    ///   - shouldGoOn: Asked after each slice; false ends the snapshot, which is of no use then.
    /// - Returns: False when it was ended early.
    mutating func run(while shouldGoOn: () -> Bool, to sink: SnapshotSink) throws(StateFailure) -> Bool {
        store.ledger.notes.begin(at: now)
        defer { _ = store.ledger.notes.end() }
        for shard in store.shards.indices {
            // Downwards: slots only ever move to lower numbers, so none is missed.
            var chunk = store.shards[shard].withLock { $0.pool.chunkTotal }
            while chunk > 0 {
                guard shouldGoOn() else { return false }
                chunk -= 1
                store.shards[shard].withLock { shard in
                    shard.pool.forEach(inChunk: chunk) { slot in
                        if slot.kind.isSession, slot.deadline > now { copies.append(slot) }
                    }
                }
                try encodeCopies(to: sink)
            }
        }
        for note in store.ledger.notes.end().lazy.joined() {
            guard shouldGoOn() else { return false }
            switch note {
            case .session(let slot):
                copies.append(current(slot))
                if !removed.isEmpty { removed.remove(store.restored.digest(slot.id, isDigest: slot.isDigest)) }
                try encodeCopies(to: sink)
            case .removal(let id, let isDigest):
                let digest = store.restored.digest(id, isDigest: isDigest)
                removed.insert(digest)
                encoder.appendRemoval(of: digest)
                try flush(to: sink)
            }
        }
        for digest in removed { encoder.appendRemoval(of: digest) }
        encoder.appendEnd()
        try sink(encoder.output)
        return true
    }

    /// The session as it is now, or as it was noted, if it has moved on after the notes' end.
    private func current(_ noted: MemorySlot) -> MemorySlot {
        store.shard(noted.id).withLock { shard in
            guard let slot = shard.slot(of: noted.id)?.slot.pointee, slot.kind.isSession else { return noted }
            return slot
        }
    }

    private mutating func encodeCopies(to sink: SnapshotSink) throws(StateFailure) {
        for slot in copies {
            guard slot.values.byteCount <= SnapshotFrame.limit - SnapshotSession.fixedCount else {
                oversized += 1
                continue
            }
            let serial = slot.user.flatMap { store.users.serial(of: slot.id, user: $0) }
            let digest = store.restored.digest(slot.id, isDigest: slot.isDigest)
            encoder.append(SnapshotSession(slot, digest: digest, serial: serial ?? 0))
            try flush(to: sink)
        }
        copies.removeAll(keepingCapacity: true)
    }

    private mutating func flush(to sink: SnapshotSink) throws(StateFailure) {
        guard encoder.output.count >= Self.pieceCount else { return }
        try sink(encoder.output)
        encoder.output.removeAll(keepingCapacity: true)
    }
}
