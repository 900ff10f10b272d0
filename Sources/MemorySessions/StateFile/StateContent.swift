/// What a snapshot is written to.
package typealias SnapshotSink = (borrowing [UInt8]) throws(StateFailure) -> Void

/// A store whose sessions are kept in a state file, and its log-ins, log-outs and rotations in a journal.
package protocol StateContent: AnyObject, Sendable {
    var stateKind: SnapshotHeader.Kind { get }
    /// What the log calls its sessions.
    var stateName: String { get }
    /// Where its changes go, made with the file; nil: there is no journal.
    var stateJournal: StateJournal? { get }
    /// Now, by the clock of its deadlines.
    var stateTime: SnapshotTime { get }
    /// Sessions now.
    var sessionCount: Int { get }
    /// Sessions that have made room for others.
    var evictionCount: Int { get }

    /// Puts in what a record says, before anybody else uses the store. Nothing of that is journalled.
    ///
    /// - Parameter isJournalled: Whether it was answered for, at the cost of others that the file may still have.
    /// - Returns: False for a record that makes no sense.
    func restore(_ record: StateRecord, isJournalled: Bool, _ restoration: inout StateRestoration) -> Bool
    /// All records are in.
    func endRestoring()

    /// Writes the file, while the store is in use.
    ///
    /// - Returns: Nil where it was ended early: it is of no use then.
    func write(
        _ header: SnapshotHeader, while shouldGoOn: () -> Bool, to sink: SnapshotSink
    ) throws(StateFailure) -> StateSummary?
}

/// What restoring needs to know, and what it came across.
package struct StateRestoration {
    /// When it began, and how far times of the file are moved to lie on the clock of now.
    package let now: SnapshotTime
    package var shift: Int64 = 0
    /// Sessions that had ended.
    package var expired = 0
    /// Sessions without room.
    package var refused = 0

    init(_ now: SnapshotTime) {
        self.now = now
    }
}

/// What a state file has.
package struct StateSummary {
    var sessions: Int
    /// Sessions too large for a record.
    var oversized = 0

    package init(sessions: Int, oversized: Int = 0) {
        (self.sessions, self.oversized) = (sessions, oversized)
    }
}
