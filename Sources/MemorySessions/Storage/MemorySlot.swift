internal import Sessions

/// A session's place in a shard: 80 bytes, the values behind one reference.
struct MemorySlot {
    var id: SessionID
    /// The values; for an alias the id that it leads to, under a reserved key.
    var values: SessionValues
    // Nanoseconds of the provider's clock.
    var created: Int64
    var lastSeen: Int64
    var idleTimeout: Int64
    var absoluteDeadline: Int64
    var version: UInt32 = 0
    /// True for an id that a rotation replaced and that is in its grace.
    var isAlias = false

    /// The instant at which the session is gone.
    var deadline: Int64 {
        let (idle, overflow) = lastSeen.addingReportingOverflow(idleTimeout)
        return overflow ? absoluteDeadline : min(idle, absoluteDeadline)
    }

    private static let successorKey = SessionKey("successor", isReserved: true)

    /// The id that an alias leads to.
    var successor: SessionID? {
        guard isAlias, case .bytes(let bytes)? = values[Self.successorKey] else { return nil }
        return SessionID(bytes: bytes)
    }

    /// The values of an alias of `id`.
    static func aliasValues(_ id: SessionID) -> SessionValues {
        // Encoding 32 bytes cannot fail.
        (try? SessionValues([(successorKey, .bytes(id.bytes))])) ?? SessionValues()
    }

    func record(at now: Int64) -> SessionRecord {
        SessionRecord(
            values: values, version: UInt64(version), successor: nil,
            ageNanoseconds: now - created, idleNanoseconds: now - lastSeen,
            idleRemainingNanoseconds: lastSeen + idleTimeout - now,
            absoluteRemainingNanoseconds: absoluteDeadline - now)
    }
}
