public import struct GalletaPlatform.ByteString

extension SessionManager {
    /// The live sessions of a user, the one last seen first, and how many there are: for an administrator's page.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - limit: The most sessions to list.
    /// - Throws: `SessionStoreError` when the store fails.
    public func sessions(of user: ByteString, limit: Int) throws -> UserSessionList {
        try store { try $0.sessions(of: user, current: nil, limit: max(0, limit)) }
    }

    /// Ends one of a user's sessions at once.
    ///
    /// - Returns: False when the user has no such session (any more).
    /// - Throws: `SessionStoreError` when the store fails.
    @discardableResult
    public func endSession(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        let isEnded = try store { try $0.destroy(reference, of: user) }
        if isEnded { emit(.destroyed) }
        return isEnded
    }

    /// Ends all sessions of a user at once: after a change of the password, or when the account is closed.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - id: A session to spare.
    /// - Returns: How many ended.
    /// - Throws: `SessionStoreError` when the store fails.
    @discardableResult
    public func endSessions(of user: ByteString, except id: SessionID? = nil) throws -> Int {
        try endSessions(of: user, except: id, keeping: 0)
    }

    private func endSessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        let count = try store { try $0.destroySessions(of: user, except: id, keeping: kept) }
        for _ in 0..<count { emit(.destroyed) }
        return count
    }

    /// Whether the session may go on: it has no user, or one whose credential is what it was at the log-in.
    func isCurrent(_ values: SessionValues) -> Bool {
        guard let check = configuration.stampCheck, let user = values.user else { return true }
        guard case .bytes(let stamp)? = values[.stamp] else { return check(user, nil) }
        return check(user, stamp)
    }

    /// Ends a session that may not go on; true if it was one.
    func revoke(_ record: SessionRecord, of id: SessionID) throws -> Bool {
        guard !isCurrent(record.values) else { return false }
        // By the id of now: an old one in its grace may lead there no more.
        let id = record.successor ?? id
        if try store({ try $0.destroy(id) }) { emit(.revoked) }
        return true
    }

    /// Ends the user's sessions beyond the cap, the least recently seen first, never the one of `id`.
    ///
    /// Of log-ins at the same time each sees the other's session; so in the end there are as many as allowed.
    func endSessions(of user: ByteString, beyondCapOf id: SessionID) throws {
        guard let cap = configuration.maximumSessionsPerUser else { return }
        _ = try endSessions(of: user, except: id, keeping: cap - 1)
    }
}
