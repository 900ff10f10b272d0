internal import Sessions
internal import Synchronization

/// The sessions whose ids the store does not know yet, as a snapshot has digests only. Thread-safe.
///
/// Such a session is kept under its digest XOR a secret of this process: who has read the file and sends a digest in
/// place of an id finds nothing, and no lookup has to tell the two apart.
final class RestoredIDs: Sendable {
    private let secret = SessionID.random().words
    private let count = Atomic<Int>(0)

    /// True while there are any.
    ///
    /// To be asked before a lookup that may miss: what another thread moves to its id later still counts then.
    @inline(__always)
    var areInUse: Bool { count.load(ordering: .acquiring) > 0 }

    func added() {
        count.add(1, ordering: .relaxed)
    }

    func removed() {
        count.subtract(1, ordering: .releasing)
    }

    /// The key of a digest, and the digest of a key.
    func swap(_ id: MemoryKey) -> MemoryKey {
        MemoryKey(
            id.word0 ^ secret.word0, id.word1 ^ secret.word1, id.word2 ^ secret.word2, id.word3 ^ secret.word3)
    }

    /// The digest by which a file names the id of a slot.
    func digest(_ id: MemoryKey, isDigest: Bool) -> MemoryKey {
        isDigest ? swap(id) : IDDigest.of(id)
    }
}
