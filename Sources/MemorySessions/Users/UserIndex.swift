internal import GalletaPlatform
internal import Sessions

/// The sessions of each user, in many small parts, so that none takes long to grow. Thread-safe.
///
/// Invariant: a session has an entry, with its id of now, exactly while its slot is of the kind `user`. Whoever changes
/// that holds the lock of the session's shard; a part's lock comes after a shard's, the ranks' after a part's, never
/// before.
///
/// Cost: constant, but for lists, which cost what they return, and for restored sessions' order.
final class UserIndex: Sendable {
    typealias Entry = UserPart.Entry

    private static let partCount = 512

    private let parts: [Locked<UserPart>]
    private let ranks = Locked(UserRanks())

    init() {
        parts = (0..<Self.partCount).map { _ in Locked(UserPart()) }
    }

    /// The number of entries; looks at every part.
    var count: Int {
        parts.reduce(0) { $0 + $1.withLock { $0.count } }
    }

    /// The user with the most sessions, of several the one who has had so many for the longest time; nil when nobody has
    /// two.
    var largestHolder: ByteString? {
        ranks.withLock { $0.first }
    }

    /// The number of a user's entries.
    func count(of user: ByteString) -> Int {
        part(user).withLock { $0.count(of: user) }
    }

    /// The first `limit` of a user's sessions, the one last seen first.
    func newest(of user: ByteString, limit: Int) -> [Entry] {
        part(user).withLock { $0.newest(of: user, limit: limit) }
    }

    /// The session of a user that was not seen for the longest time, but for one.
    func oldest(of user: ByteString, sparing spared: MemoryKey?) -> Entry? {
        part(user).withLock { $0.oldest(of: user, sparing: spared) }
    }

    /// The id under which a session is now.
    func id(of serial: UInt64, user: ByteString) -> MemoryKey? {
        part(user).withLock { $0.entry(serial, of: user)?.id }
    }

    /// The serial of a session that belongs to the user.
    func serial(of id: MemoryKey, user: ByteString) -> UInt64? {
        part(user).withLock { $0.entry(id, of: user)?.serial }
    }

    /// - Parameter isSorted: False leaves the order to `sort`.
    func insert(_ id: MemoryKey, user: ByteString, serial: UInt64, lastSeen: Int64, isSorted: Bool) {
        let entry = Entry(serial: serial, id: id)
        part(user).withLock { $0.insert(entry, of: user, lastSeen: lastSeen, isSorted: isSorted, ranks: ranks) }
    }

    func move(_ id: MemoryKey, to new: MemoryKey, user: ByteString) {
        part(user).withLock { $0.move(id, to: new) }
    }

    /// Notes a visit.
    func seen(_ id: MemoryKey, user: ByteString, at now: Int64) {
        part(user).withLock { $0.seen(id, at: now) }
    }

    func remove(_ id: MemoryKey, user: ByteString) {
        part(user).withLock { $0.remove(id, of: user, ranks: ranks) }
    }

    /// Puts all sessions in order that were put in without.
    func sort() {
        for part in parts { part.withLock { $0.sort() } }
    }

    private func part(_ user: ByteString) -> Locked<UserPart> {
        parts[Int(truncatingIfNeeded: UInt(bitPattern: user.hashValue) >> 32) & (Self.partCount - 1)]
    }
}
