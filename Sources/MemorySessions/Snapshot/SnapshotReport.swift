/// What the reading of a snapshot brought.
struct SnapshotReport: Equatable {
    /// What the stream is.
    enum Outcome: Equatable {
        /// There was nothing at all.
        case empty
        /// A snapshot, whole or in parts.
        case read
        /// It has the sessions of another store.
        case foreign
        /// Both headers are damaged, or it is something else.
        case unreadable
        /// Of a version that this program does not know.
        case newer(UInt32)
    }

    var outcome = Outcome.empty
    /// Records that were handed on.
    var records = 0
    /// Places where records were damaged.
    var damaged = 0
    /// True when the end record is missing.
    var isCut = false

    /// True when something was there that could not be read.
    var hasLosses: Bool { damaged > 0 || isCut }
}
