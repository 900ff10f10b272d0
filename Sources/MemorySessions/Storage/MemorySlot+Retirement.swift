internal import GalletaPlatform
internal import Sessions

extension MemorySlot {
    private static let successorKey = SessionKey("successor", isReserved: true)

    /// The id that took the place of this one.
    var successor: SessionID? {
        guard !kind.isSession, case .bytes(let bytes)? = values[Self.successorKey] else { return nil }
        return SessionID(bytes: bytes)
    }

    /// The values of an id that `id` replaces.
    static func values(successor id: SessionID) -> SessionValues {
        // Encoding 32 bytes cannot fail.
        (try? SessionValues([(successorKey, .bytes(id.bytes))])) ?? SessionValues()
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
