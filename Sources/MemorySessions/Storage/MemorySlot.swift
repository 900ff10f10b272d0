internal import GalletaPlatform
internal import Sessions

/// A session's place in a shard: 80 bytes, the values behind one reference.
struct MemorySlot {
    var id: MemoryKey
    /// The values; for an id that a rotation replaced the one that took its place, under a reserved key.
    var values: SessionValues
    // Nanoseconds of the provider's clock.
    var created: Int64
    /// The last visit; of a replaced id the rotation.
    var lastSeen: Int64
    /// The idle timeout; of a replaced id the grace.
    var idleTimeout: Int64
    var absoluteDeadline: Int64
    var version: UInt32 = 0
    var kind: MemoryKind
    /// True once the id came back.
    var isSeen = false
    /// True for a restored session whose id is not known yet: it is under the key that `RestoredIDs` gives its digest.
    var isDigest = false

    /// How long a replaced id is remembered, in nanoseconds: one hour.
    static let retiredLifetime: Int64 = 3_600_000_000_000

    /// A session that begins at `now`.
    init(id: MemoryKey, draft: SessionDraft, at now: Int64, isOfUser: Bool) {
        self.init(
            id: id, values: draft.values, created: now, lastSeen: now, idleTimeout: draft.idleTimeout.nanoseconds,
            absoluteDeadline: now.addingSaturated(draft.absoluteTimeout.nanoseconds), version: 0,
            kind: isOfUser ? .user : .fresh, isSeen: false)
    }

    /// A session with these parts.
    init(
        id: MemoryKey, values: SessionValues, created: Int64, lastSeen: Int64, idleTimeout: Int64,
        absoluteDeadline: Int64, version: UInt32, kind: MemoryKind, isSeen: Bool, isDigest: Bool = false
    ) {
        self.id = id
        self.values = values
        self.created = created
        self.lastSeen = lastSeen
        self.idleTimeout = idleTimeout
        self.absoluteDeadline = absoluteDeadline
        self.version = version
        self.kind = kind
        self.isSeen = isSeen
        self.isDigest = isDigest
    }

    /// The end of the idle timeout; of a replaced id the end of its grace.
    @inline(__always)
    var idleDeadline: Int64 {
        let (idle, overflow) = lastSeen.addingReportingOverflow(idleTimeout)
        return overflow ? .max : idle
    }

    /// The instant at which the slot's session, or the memory of a replaced id, is gone.
    @inline(__always)
    var deadline: Int64 {
        kind.isSession ? min(idleDeadline, absoluteDeadline) : absoluteDeadline
    }

    /// When the slot is to be looked at next.
    var bound: Int64 {
        kind == .alias ? min(idleDeadline, absoluteDeadline) : deadline
    }

    func record(at now: Int64) -> SessionRecord {
        SessionRecord(
            values: values, version: UInt64(version), successor: nil,
            // Saturated: times may come from a file.
            ageNanoseconds: now.subtractingSaturated(created), idleNanoseconds: now.subtractingSaturated(lastSeen),
            idleRemainingNanoseconds: idleDeadline.subtractingSaturated(now),
            absoluteRemainingNanoseconds: absoluteDeadline.subtractingSaturated(now))
    }
}

// MARK: Lifetime

extension MemorySlot {
    mutating func set(_ lifetime: SessionLifetime) {
        idleTimeout = lifetime.idleTimeout.nanoseconds
        absoluteDeadline = created.addingSaturated(lifetime.absoluteTimeout.nanoseconds)
    }

    /// True when the session has ended already with these timeouts.
    func isOver(with lifetime: SessionLifetime, touched: Bool, at now: Int64) -> Bool {
        var slot = self
        slot.set(lifetime)
        if touched { slot.lastSeen = now }
        return slot.deadline <= now
    }
}

// MARK: Retirement

extension MemorySlot {
    private static let successorKey = SessionKey("successor", isReserved: true)

    /// The id that took the place of this one.
    var successor: MemoryKey? {
        guard !kind.isSession, case .bytes(let bytes)? = values[Self.successorKey] else { return nil }
        return SessionID(bytes: bytes)?.words
    }

    /// The values of an id that `id` replaces.
    static func values(successor id: MemoryKey) -> SessionValues {
        // Encoding 32 bytes cannot fail.
        (try? SessionValues([(successorKey, .bytes(id.withBytes { Array($0) }))])) ?? SessionValues()
    }

    /// Opens the successor that a file had sealed with this id, which is known now.
    mutating func openSuccessor() {
        guard let sealed = successor,
            let opened = SessionID(sealed: sealed.withBytes { Array($0) }, with: SessionID(words: id))
        else { return }
        values = Self.values(successor: opened.words)
    }

    /// Turns a session's slot into the memory of its id.
    ///
    /// - Parameter values: What `values(successor:)` made.
    mutating func retire(at now: Int64, grace: Int64, values: SessionValues) {
        self.values = values
        created = now
        lastSeen = now
        idleTimeout = grace
        absoluteDeadline = now.addingSaturated(max(grace, Self.retiredLifetime))
        version = 0
        kind = grace > 0 ? .alias : .retired
    }
}

// MARK: Cost

extension MemorySlot {
    /// Bytes of a slot and of its places in the table and the order, with what growing arrays keep in reserve.
    private static let slotCost = 128
    /// Bytes of a session's entry in the index of users, with its share of the index.
    private static let userCost = 168

    /// The bytes that a session takes, as the cap counts them.
    static func cost(values: SessionValues, user: ByteString?) -> Int {
        var cost = slotCost + blockCost(values)
        if let user {
            let name = user.count
            // Text of up to 15 bytes is within its owner.
            cost += userCost + (name > 15 ? rounded(name + 32) : 0)
        }
        return cost
    }

    /// The bytes that a slot takes; looks for the user's name only if there is one.
    var cost: Int {
        Self.cost(values: values, user: user)
    }

    /// The user whom the session belongs to.
    var user: ByteString? {
        kind == .user ? values.user : nil
    }

    private static func blockCost(_ values: SessionValues) -> Int {
        values.isEmpty ? 0 : rounded(values.byteCount + 24)
    }

    /// What malloc takes for so many bytes: eight more, in steps of 16, at least 32.
    private static func rounded(_ bytes: Int) -> Int {
        max(32, (bytes + 8 + 15) & ~15)
    }
}
