internal import struct GalletaPlatform.ByteString

extension Session {
    /// The sessions of the user whom this one belongs to, the one last seen first, and how many there are; none for an
    /// anonymous one.
    ///
    ///     let list = try session.userSessions(limit: 50)
    ///     for row in list.sessions { … }
    ///     if list.more > 0 { … }    // "and 12 more"
    ///
    /// This session is among them, as the last one if need be. A log-in of this very request is in the list from the
    /// commit on. Those that `SessionConfiguration.stampCheck` is against end, and are neither listed nor counted (but behind
    /// a thousand others they may count).
    ///
    /// - Parameter limit: The most sessions to list; what a page can show.
    public func userSessions(limit: Int) throws -> UserSessionList {
        guard let (user, id) = try boundUser() else { return UserSessionList() }
        return try manager.sessions(of: user, current: id, limit: max(0, limit))
    }

    /// Ends one of the user's sessions at once, this one or another: "log out there".
    ///
    /// - Parameter reference: From ``userSessions(limit:)``; a stranger's names nothing here.
    /// - Returns: False when the user has no such session (any more).
    public func endUserSession(_ reference: SessionReference) throws -> Bool {
        guard let (user, id) = try boundUser() else { return false }
        let own = try manager.index { try $0.sessions(of: user, current: id, limit: 1) }
        if own.sessions.contains(where: { $0.reference == reference && $0.isCurrent }) {
            try destroy()
            return true
        }
        let isEnded = try manager.end(reference, of: user)
        // Also where another request has ended it a moment ago.
        try withState { try $0.noteJournal() }
        return isEnded
    }

    /// Ends all of the user's sessions but this one at once: "log out everywhere else".
    ///
    /// Together with ``rotate()`` it is what belongs after a change of the password.
    ///
    /// - Returns: How many ended.
    @discardableResult
    public func endOtherUserSessions() throws -> Int {
        guard let (user, id) = try boundUser() else { return 0 }
        let count = try manager.endAll(of: user, except: id)
        try withState { try $0.noteJournal() }
        return count
    }

    /// The user, by this request's own word, and the id in the store, if there is a session.
    private func boundUser() throws -> (user: ByteString, id: SessionID?)? {
        try loaded { state in
            guard state.phase != .lost, let user = state.view.user else { return nil }
            return (user, state.phase == .present ? state.id : nil)
        }
    }
}
