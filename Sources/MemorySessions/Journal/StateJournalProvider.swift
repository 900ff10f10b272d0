internal import GalletaPlatform
package import Sessions

/// A provider whose journal is that of a state file.
package protocol StateJournalProvider: JournalingProvider {
    var stateJournal: StateJournal? { get }
}

extension StateJournalProvider {
    /// Where the journal ends now; nil without one.
    package var journalEnd: UInt64? { stateJournal?.end }

    /// Whether log-ins would fail.
    package var isJournalFailing: Bool { stateJournal?.isFailing ?? false }

    /// Whether everything before `end` is on the disk.
    package func isSettled(_ end: UInt64) throws(SessionStoreError) -> Bool {
        switch stateJournal?.verdict(on: end) {
        case .settled, nil: return true
        case .pending: return false
        case .failed: throw Self.unsaved
        }
    }

    /// Waits on this thread.
    package func settle(_ end: UInt64) throws(SessionStoreError) {
        guard let journal = stateJournal else { return }
        let outcome = Monitor<Bool?>(nil)
        journal.wait(for: end) { isSettled in
            outcome.withLock { $0 = isSettled }
            outcome.wake()
        }
        guard outcome.wait(until: { $0 != nil }, then: { $0 ?? false }) else { throw Self.unsaved }
    }

    /// Waits without a thread.
    package func settleAsync(_ end: UInt64) async throws(SessionStoreError) {
        guard let journal = stateJournal else { return }
        let isSettled = await withUnsafeContinuation { continuation in
            journal.wait(for: end) { continuation.resume(returning: $0) }
        }
        guard isSettled else { throw Self.unsaved }
    }

    private static var unsaved: SessionStoreError {
        SessionStoreError(
            .unsaved, "the journal beside the state file could not be written: a crash would undo the change")
    }
}
