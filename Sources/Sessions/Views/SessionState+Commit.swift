internal import GalletaPlatform

extension SessionState {
    /// Brings the pending changes to the store and says what the response must carry.
    ///
    /// - Parameter touching: False for a request that is none of the visitor's doing, such as a poll.
    mutating func commit(touching: Bool) throws -> SessionCommit {
        guard !isCommitted else { return closing ?? .untouched }
        switch dueCall(touching: touching) {
        case .create: try create()
        case .change(let touching): try storePending(touching: touching)
        case .touch: try touch()
        case .confirm: try confirm()
        case nil: break
        }
        return finishCommit()
    }

    /// What a commit asks of the store.
    enum DueCall {
        case create, touch, confirm
        case change(touching: Bool)
    }

    func dueCall(touching: Bool) -> DueCall? {
        switch phase {
        case .unread, .lost: return nil
        case .absent: return view.isEmpty ? nil : .create
        case .present:
            // A log-in is a visit, however short ago the last one was noted.
            let touches = touching && (isTouchDue || bindsUser)
            if !patch.isEmpty || lifetime != nil { return .change(touching: touches) }
            if touches { return .touch }
            return isConfirmationDue ? .confirm : nil
        }
    }

    /// What follows the call to the store.
    mutating func finishCommit() -> SessionCommit {
        enforceUserCap()
        return close()
    }

    /// Brings the pending changes to the store now, and says what came of it.
    mutating func save() throws -> Session.SaveOutcome {
        switch phase {
        case .absent where !view.isEmpty:
            try create()
        case .present where !patch.isEmpty || lifetime != nil:
            try storePending()
            enforceUserCap()
        case .lost:
            return .lost
        default:
            return .unchanged
        }
        return phase == .lost ? .lost : .saved
    }

    /// Drops the pending changes; what was done at once (destroy, rotate, update) stands, and the session goes on with it.
    mutating func rollBack() {
        switch phase {
        case .unread: return
        case .absent: reset()
        case .lost: clear()
        case .present:
            guard !patch.isEmpty || lifetime != nil else { return }
            clear()
            lifetime = nil
            bindsUser = false
            isStale = true
        }
    }

    /// Drops the pending changes and says what the response must carry.
    mutating func discard() -> SessionCommit {
        guard !isCommitted else { return closing ?? .untouched }
        rollBack()
        // A store that fails now is reported already, and the rotation that it made before stands.
        try? confirm()
        return close()
    }

    /// Looks whether the id for which a cookie is about to go out still is the session's.
    ///
    /// A rotation may be as old as a slow handler is slow; its cookie must not replace that of a log-in since. Of a session
    /// that this request has begun nobody can know; asking for it would look as if its cookie had come back.
    private mutating func confirm() throws {
        guard isConfirmationDue else { return }
        let handle = handle
        // An empty patch: nothing is read, and a lock that is held is not waited for.
        takeConfirmation(try ask { try $0.commit(SessionPatch(), to: handle, expecting: nil) })
    }

    private var isConfirmationDue: Bool { phase == .present && cookie == .set && !hasBegun }

    mutating func takeConfirmation(_ outcome: SessionCommitOutcome) {
        guard case .committed(_, _, let successor) = outcome else { return lose() }
        follow(successor)
    }

    /// Begins a session in the store when there is something to keep.
    mutating func create() throws {
        guard !view.isEmpty else { return }
        let draft = try draft()
        for _ in 0..<Self.drawLimit {
            let fresh = manager.idFormat.draw()
            if try take(try ask { try $0.create(fresh, draft) }, of: fresh, draft) {
                enforceUserCap()
                return
            }
        }
        throw Self.noFreshID
    }

    /// Two equal draws of 256 bits do not happen; a provider that errs must not join two visitors.
    static let drawLimit = 8

    static var noFreshID: SessionStoreError {
        SessionStoreError(.unavailable, "the provider refused fresh random ids as taken")
    }

    /// The session that is to begin, if it may.
    func draft() throws -> SessionDraft {
        if view.user == nil { try manager.admitNewSession(from: client) }
        let lifetime = lifetime ?? manager.configuration.lifetime
        return SessionDraft(
            values: view, idleTimeout: lifetime.idleTimeout, absoluteTimeout: lifetime.absoluteTimeout)
    }

    /// Goes on in the session that has begun; false when the id is to be drawn anew.
    mutating func take(_ creation: SessionCreation, of id: SessionID, _ draft: SessionDraft) throws -> Bool {
        switch creation {
        case .created(let lease):
            self.lease = lease
            begin(with: SessionLifetime(idleTimeout: draft.idleTimeout, absoluteTimeout: draft.absoluteTimeout))
            lifetime = nil
            phase = .present
            hasBegun = true
            self.id = id
            version = 0
            patch.removeAll()
            cookie = .set
            manager.emit(.created)
            try noteChange()
            return true
        case .exists:
            return false
        case .full:
            let error = SessionStoreError(.full, "the session store is at its cap; no new session can begin")
            manager.emit(.storeFailed(error))
            throw error
        }
    }

    /// Ends those of the user's sessions after a log-in that may not go on or are beyond the cap, never this one.
    mutating func enforceUserCap() {
        guard bindsUser, phase == .present else { return }
        bindsUser = false
        guard let user = view.user else { return }
        // The log-in is stored already; a store that fails now has been reported, and the next log-in will do it.
        try? manager.endSessions(of: user, afterLogInOf: id)
        hasLoggedIn = true
        // Before the answer, so nothing waits here.
        try? noteJournal()
    }

    private mutating func touch() throws {
        let handle = handle
        take(try ask { try $0.touch(handle) })
    }

    mutating func take(_ touch: SessionTouch) {
        switch touch {
        case .touched(_, let successor):
            follow(successor)
            noteTouch()
        case .gone:
            lose()
        }
    }

    private mutating func close() -> SessionCommit {
        let policy: SessionCommit.CachePolicy =
            phase == .unread ? .none : (cookie != .none || isWritten ? .written : .read)
        let header = setCookie()
        isCommitted = true
        cookie = .none
        // The visitor's other requests may wait for it, while a body is still being written.
        lease = nil
        prefetched = nil
        let commit = SessionCommit(
            setCookie: header, cachePolicy: policy, isLost: phase == .lost, isUnsettled: journalEnd != nil)
        closing = commit
        return commit
    }

    private func setCookie() -> String? {
        switch cookie {
        case .none:
            return nil
        case .delete:
            return manager.cookie.deleteHeader(isSecure: isSecure)
        case .set:
            let remaining = Duration.nanoseconds(min(idleRemaining, absoluteRemaining))
            return manager.cookie.setHeader(id, maxAge: manager.isPersistent ? remaining : nil, isSecure: isSecure)
        }
    }

    // MARK: The journal

    /// Has the answer wait for the change that was made just now. Once the answer has begun this thread waits.
    ///
    /// - Throws: `SessionStoreError` when the change is made, and could not be put on the disk.
    mutating func noteJournal() throws {
        try noteJournal(manager.journal?.journalEnd)
    }

    /// As ``noteJournal()``, after a change of which only the provider knows whether it is in the journal.
    mutating func noteChange() throws {
        let id = id
        try noteJournal(manager.journal?.journalEnd(of: id))
    }

    private mutating func noteJournal(_ end: UInt64?) throws {
        guard let journal = manager.journal, let end else { return }
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
