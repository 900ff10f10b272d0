internal import Sessions

/// A change of who is logged in, as it was made in memory: what the journal is given.
enum JournalChange: Sendable {
    /// A session is this one from now on: a log-in, a changed lifetime. With the number behind a user's reference to it.
    case session(MemorySlot, serial: UInt64)
    /// A session has got another id; the old one leads to it until the grace ends, a moment of the provider's clock (0:
    /// not at all).
    case rotation(MemorySlot, serial: UInt64, from: MemoryKey, graceEnd: Int64)
    /// A session has ended.
    case removal(MemoryKey, isDigest: Bool)
}
