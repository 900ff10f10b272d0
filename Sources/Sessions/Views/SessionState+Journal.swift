extension SessionState {
    /// Has the answer wait for the change that was made just now. Once the answer has begun this thread waits.
    ///
    /// - Throws: `SessionStoreError` when the change is made, and could not be put on the disk.
    mutating func noteJournal() throws {
        guard let journal = manager.journal, let end = journal.journalEnd else { return }
        guard closing != nil else {
            journalEnd = end
            return
        }
        try ask { _ in try journal.settle(end) }
    }

    /// What could not be put on the disk stands, but for a log-in: nobody is logged in then, and no cookie goes out.
    ///
    /// - Returns: What is to be thrown.
    mutating func failSettling(_ error: SessionStoreError) -> SessionStoreError {
        guard hasLoggedIn else { return error }
        hasLoggedIn = false
        if phase == .present {
            let handle = handle
            _ = try? ask { try $0.destroy(handle) }
            manager.emit(.destroyed)
        }
        clear()
        phase = .lost
        closing = SessionCommit(setCookie: nil, cachePolicy: .written, isLost: true)
        return SessionStoreError(
            .unavailable, "the log-in could not be put on the disk, and was taken back", underlying: error)
    }
}
