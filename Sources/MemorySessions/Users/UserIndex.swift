internal import GalletaPlatform
internal import Sessions

/// The sessions of each user, in many small parts, so that none takes long to grow. Thread-safe.
///
/// Invariant: a session has an entry, with its id of now, exactly while its slot is of the kind `user`. Whoever changes
/// that holds the lock of the session's shard; a part's lock comes after a shard's, never before.
final class UserIndex: Sendable {
    /// A session of a user.
    struct Entry {
        /// Stays when the id changes, and is another one after each log-in.
        let serial: UInt64
        var id: SessionID
    }

    private static let partCount = 512

    private let parts: [Locked<[String: [Entry]]>]

    init() {
        parts = (0..<Self.partCount).map { _ in Locked([:]) }
    }

    /// The number of entries; looks at every part.
    var count: Int {
        parts.reduce(0) { $0 + $1.withLock { $0.values.reduce(0) { $0 + $1.count } } }
    }

    func entries(of user: String) -> [Entry] {
        part(user).withLock { $0[user] ?? [] }
    }

    /// The id under which a session is now.
    func id(of serial: UInt64, user: String) -> SessionID? {
        part(user).withLock { part in part[user]?.first { $0.serial == serial }?.id }
    }

    func serial(of id: SessionID, user: String) -> UInt64? {
        part(user).withLock { part in part[user]?.first { $0.id == id }?.serial }
    }

    func insert(_ id: SessionID, user: String, serial: UInt64) {
        part(user).withLock { $0[user, default: []].append(Entry(serial: serial, id: id)) }
    }

    func move(_ id: SessionID, to new: SessionID, user: String) {
        part(user).withLock { part in
            guard let position = part[user]?.firstIndex(where: { $0.id == id }) else { return }
            part[user]?[position].id = new
        }
    }

    func remove(_ id: SessionID, user: String) {
        part(user).withLock { part in
            guard let slot = part.index(forKey: user),
                let position = part.values[slot].firstIndex(where: { $0.id == id })
            else { return }
            let last = part.values[slot].count - 1
            part.values[slot].swapAt(position, last)
            part.values[slot].removeLast()
            if last == 0 { part.remove(at: slot) }
            Self.shrink(&part)
        }
    }

    private func part(_ user: String) -> Locked<[String: [Entry]]> {
        parts[Int(truncatingIfNeeded: UInt(bitPattern: user.hashValue) >> 32) & (Self.partCount - 1)]
    }

    /// Gives memory back when a part is mostly empty; as rare as growing, and as short.
    private static func shrink(_ part: inout [String: [Entry]]) {
        if part.isEmpty {
            part = [:]
        } else if part.capacity > 64, part.count * 8 < part.capacity {
            var smaller: [String: [Entry]] = [:]
            smaller.reserveCapacity(part.count * 2)
            for (user, entries) in part { smaller[user] = entries }
            part = smaller
        }
    }
}
