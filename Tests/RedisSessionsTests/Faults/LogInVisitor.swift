import GalletaPlatform
import Sessions

/// Logs in, looks at the list of sessions, rotates, logs out elsewhere and then here, again and again.
struct LogInVisitor: FaultVisitor {
    private let site: FaultSite
    private let user: ByteString

    init(_ site: FaultSite, user: ByteString) {
        self.site = site
        self.user = user
    }

    mutating func visit() throws {
        let owner = FaultSite.token()
        let first = try site.begin(owner)
        try expect(first, owner, user: nil)
        let second = try change(first) { try $0.logIn(user: user, client: owner) }
        try site.expectEnd(first, "a log-in")
        try expect(second, owner, user: user)
        // Another device's.
        let other = try site.begin(FaultSite.token(), user: user)
        let list = try site.manager.sessions(of: user, limit: 100)
        if list.sessions.count(where: { $0.client == owner }) != 1 {
            site.book.wrong("a session is not once in its user's list", isLoss: true)
        }
        let third = try change(second) { try $0.rotate() }
        try expectSuccessor(of: second, third, owner)
        try endOthers(third)
        try site.expectEnd(other, "a log-out everywhere else")
        try expect(third, owner, user: user)
        let session = site.open(third)
        try session.destroy()
        site.book.acknowledged()
        site.book.ended([first, second, third, other])
        _ = try session.commit()
        try site.expectEnd(third, "a log-out")
    }

    private func endOthers(_ id: SessionID) throws {
        let session = site.open(id)
        try session.endOtherUserSessions()
        site.book.acknowledged()
        _ = try session.commit()
    }

    /// Changes the session in a way that gives it another id, and returns that.
    private func change(_ id: SessionID, _ body: (Session) throws -> Void) throws -> SessionID {
        let session = site.open(id)
        try body(session)
        let commit = try session.commit()
        site.book.acknowledged()
        guard !commit.isLost, let new = site.id(in: commit) else {
            site.book.wrong("a session was lost in its visitor's hands", isLoss: true)
            return id
        }
        return new
    }

    private func expect(_ id: SessionID, _ owner: String, user: ByteString?) throws {
        guard case .found(let record) = try site.provider.lookUp(SessionHandle(id)) else {
            return site.book.wrong("a session of \(user == nil ? "nobody" : "a user") is gone", isLoss: true)
        }
        // A log-in into a session that is lost begins another one, without its values.
        let isEmpty = record.values[FaultSite.owner] == nil
        if isEmpty { site.book.wrong("a session is empty", isLoss: true) } else { site.check(record, owner) }
        let found = record.values.user
        if found != user { site.book.wrong("another's session, or nobody's", isLoss: found == nil || user == nil) }
    }

    private func expectSuccessor(of old: SessionID, _ new: SessionID, _ owner: String) throws {
        guard case .found(let record) = try site.provider.lookUp(SessionHandle(old)), record.successor == new else {
            return site.book.wrong("an id in its grace does not lead to the new one", isLoss: true)
        }
        if record.values[FaultSite.owner] != nil { site.check(record, owner) }
    }
}
