// What a request has changed is made, and its answer waits until it is on the disk; see `JournalingProvider`.
extension Session {
    /// Whether nothing that this request has changed is still to be put on the disk.
    ///
    /// - Throws: As ``settleAsync()``.
    package var isSettled: Bool {
        get throws {
            guard let journal = manager.journal, let end = journalEnd else { return true }
            do {
                guard try journal.isSettled(end) else { return false }
            } catch {
                throw fail(error)
            }
            ifUsed { $0.journalEnd = nil }
            return true
        }
    }

    /// Waits until what this request has changed is on the disk, and holds no thread.
    ///
    /// - Throws: `SessionStoreError` when it could not be put there: of the reason `unsaved` where it stands all the same, of
    ///   another for a log-in, which does not.
    package func settleAsync() async throws {
        guard let journal = manager.journal, let end = journalEnd else { return }
        // It is the store that the answer waits for.
        let begin = stopwatch?.start()
        defer { if let begin { stopwatch?.stop(begin) } }
        do {
            try await journal.settleAsync(end)
        } catch {
            throw fail(error)
        }
        ifUsed { $0.journalEnd = nil }
    }

    /// As ``settleAsync()``, on this thread.
    func settle() throws {
        guard let journal = manager.journal, let end = journalEnd else { return }
        do {
            try journal.settle(end)
        } catch {
            throw fail(error)
        }
        ifUsed { $0.journalEnd = nil }
    }

    private var journalEnd: UInt64? {
        var end: UInt64?
        ifUsed { end = $0.journalEnd }
        return end
    }

    private func fail(_ error: SessionStoreError) -> SessionStoreError {
        manager.emit(.storeFailed(error))
        return withState { state in
            state.journalEnd = nil
            return state.failSettling(error)
        }
    }
}
