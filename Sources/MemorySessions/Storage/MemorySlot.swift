internal import GalletaPlatform
internal import Sessions

/// A session's place in a shard: 80 bytes, the values behind one reference.
struct MemorySlot {
    var id: SessionID
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
    init(id: SessionID, draft: SessionDraft, at now: Int64, isOfUser: Bool) {
        self.init(
            id: id, values: draft.values, created: now, lastSeen: now, idleTimeout: draft.idleTimeout.nanoseconds,
            absoluteDeadline: now.addingSaturated(draft.absoluteTimeout.nanoseconds), version: 0,
            kind: isOfUser ? .user : .fresh, isSeen: false)
    }

    /// A session with these parts.
    init(
        id: SessionID, values: SessionValues, created: Int64, lastSeen: Int64, idleTimeout: Int64,
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
