public import struct GalletaPlatform.ByteString

extension SessionManager {
    /// The live sessions of a user, the one last seen first, and how many there are: for an administrator's page.
    ///
    /// Those that `SessionConfiguration.stampCheck` is against end, as in ``Session/userSessions(limit:)``.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - limit: The most sessions to list.
    /// - Throws: `SessionStoreError` when the store fails; `SessionError` of code `unsupported` where the provider finds no
    ///   sessions by their users.
    public func sessions(of user: ByteString, limit: Int) throws -> UserSessionList {
        try sessions(of: user, current: nil, limit: max(0, limit))
    }

    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        var list = try index { try $0.sessions(of: user, current: id, limit: limit) }
        guard configuration.stampCheck != nil else { return list }
        let isCertain = list.more == 0 && list.sessions.allSatisfy { isCurrent($0.record.values) }
        guard !isCertain else { return list }
        try endRevokedSessions(of: user, sparing: id)
        list = try index { try $0.sessions(of: user, current: id, limit: limit) }
        // The caller's own, and what lay beyond the bound.
        let listed = list.sessions.count
        list.sessions.removeAll { !isCurrent($0.record.values) }
        list.total -= listed - list.sessions.count
        return list
    }

    /// Most sessions of a user that are asked about at a time, and how many times.
    private static let checkedAtOnce = 1_000
    private static let checkRounds = 8

    /// Ends those of the user's sessions that may not go on: they would count, and stand in the place of others.
    ///
    /// Bounded: of one who has more than a thousand some may stay, until a request comes with their id.
    private func endRevokedSessions(of user: ByteString, sparing id: SessionID?) throws {
        for _ in 0..<Self.checkRounds {
            let list = try index { try $0.sessions(of: user, current: id, limit: Self.checkedAtOnce) }
            let revoked = list.sessions.filter { !$0.isCurrent && !isCurrent($0.record.values) }
            for session in revoked where try index({ try $0.destroy(session.reference, of: user) }) { emit(.revoked) }
            guard !revoked.isEmpty, list.more > 0 else { return }
        }
    }

    /// Calls the provider's index of users.
    ///
    /// - Throws: `SessionError` of code `unsupported` where it has none: a log-out everywhere must not end nothing in silence.
    func index<Result>(_ body: (any UserIndexedProvider) throws -> Result) throws -> Result {
        guard let userIndex else {
            throw SessionError(
                .unsupported,
                "the provider finds no sessions by their users, so that they can be neither listed nor ended; "
                    + "choose one that is a UserIndexedProvider")
        }
        return try store { _ in try body(userIndex) }
    }

    /// Ends one of a user's sessions at once.
    ///
    /// Blocks until no crash can undo it, where the provider has a journal. A handler has ``Session/endUserSession(_:)``,
    /// whose request waits without a thread.
    ///
    /// - Returns: False when the user has no such session (any more).
    /// - Throws: As ``sessions(of:limit:)``; `SessionStoreError` of the reason `unsaved` when it is done, and a crash may undo
    ///   it.
    @discardableResult
    public func endSession(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        let isEnded = try end(reference, of: user)
        // Also where another has ended it a moment ago.
        try settle()
        return isEnded
    }

    /// Blocks until all that was changed is on the disk, where the provider has a journal.
    private func settle() throws {
        guard let end = journal?.journalEnd else { return }
        try store { _ in try journal?.settle(end) }
    }

    /// Ends one of a user's sessions, and does not wait for the journal.
    func end(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        let isEnded = try index { try $0.destroy(reference, of: user) }
        if isEnded { emit(.destroyed) }
        return isEnded
    }

    /// Ends all sessions of a user at once: after a change of the password, or when the account is closed.
    ///
    /// Blocks until no crash can undo it, where the provider has a journal. A handler has ``Session/endOtherUserSessions()``,
    /// whose request waits without a thread.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - id: A session to spare.
    /// - Returns: How many ended.
    /// - Throws: As ``endSession(_:of:)``.
    @discardableResult
    public func endSessions(of user: ByteString, except id: SessionID? = nil) throws -> Int {
        let count = try endAll(of: user, except: id)
        try settle()
        return count
    }

    /// Ends the sessions of many users, and waits for the journal once.
    ///
    /// - Returns: How many ended.
    /// - Throws: As ``endSession(_:of:)``; of the reason `unsaved` when all of them have ended.
    package func endSessions(of users: some Sequence<ByteString>) throws -> Int {
        var count = 0
        for user in users { count += try endAll(of: user, except: nil) }
        try settle()
        return count
    }

    /// Ends a user's sessions, and does not wait for the journal.
    func endAll(of user: ByteString, except id: SessionID?) throws -> Int {
        let count = try endSessions(of: user, except: id, keeping: 0)
        guard count == 0, let id else { return count }
        // Nothing ends beside a session that is not the user's (any more); here all are to end.
        let own = try index { try $0.sessions(of: user, current: id, limit: 1) }
        guard !own.sessions.contains(where: \.isCurrent) else { return 0 }
        return try endSessions(of: user, except: nil, keeping: 0)
    }

    private func endSessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        let count = try index { try $0.destroySessions(of: user, except: id, keeping: kept) }
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
        let session = SessionHandle(record.successor ?? id, lease: record.lease)
        if try store({ try $0.destroy(session) }) { emit(.revoked) }
        return true
    }

    /// Ends the user's sessions that may not go on, then those beyond the cap, the least recently seen first, never the one
    /// of `id`.
    ///
    /// Of log-ins at the same time the provider lets one end the others, and not all each other.
    func endSessions(of user: ByteString, afterLogInOf id: SessionID) throws {
        guard userIndex != nil else { return }
        if configuration.stampCheck != nil { try endRevokedSessions(of: user, sparing: id) }
        guard let cap = configuration.maximumSessionsPerUser else { return }
        _ = try endSessions(of: user, except: id, keeping: cap - 1)
    }
}
