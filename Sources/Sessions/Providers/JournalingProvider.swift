/// A provider that makes changes in memory at once, and has log-ins, log-outs and rotations on the disk a moment later.
///
/// After such a call the library asks where the journal ends, and lets the request's answer wait until that is on the disk:
/// so nobody is told of a change that a crash would undo. One wait is enough for many requests, and none holds a thread.
package protocol JournalingProvider: SessionProvider {
    /// Where the journal ends now: each change that was made before is before it. Nil: nothing is journalled.
    var journalEnd: UInt64? { get }

    /// Where the journal must be on the disk before anybody is told of a change of this session; nil: it is, or the library
    /// knows by itself which of its changes are in it.
    func journalEnd(of id: SessionID) -> UInt64?

    /// Whether changes cannot be put on the disk now, as far as is known.
    var isJournalFailing: Bool { get }

    /// Whether everything before `end` is on the disk; false: that is not known yet.
    ///
    /// - Throws: `SessionStoreError` of the reason `unsaved` when it could not be written.
    func isSettled(_ end: UInt64) throws(SessionStoreError) -> Bool

    /// Waits until everything before `end` is on the disk, and blocks meanwhile.
    ///
    /// - Throws: As ``isSettled(_:)``.
    func settle(_ end: UInt64) throws(SessionStoreError)

    /// Waits until everything before `end` is on the disk, and holds no thread. A task that is cancelled waits all the same.
    ///
    /// - Throws: As ``isSettled(_:)``.
    func settleAsync(_ end: UInt64) async throws(SessionStoreError)
}

extension JournalingProvider {
    /// The library knows: who logs in and out does so by its own calls.
    package func journalEnd(of id: SessionID) -> UInt64? { nil }
}
