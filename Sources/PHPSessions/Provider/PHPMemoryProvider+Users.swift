internal import GalletaPlatform
public import Sessions

extension PHPMemoryProvider: UserIndexedProvider {
    /// The live sessions that belong to `user`, the one last seen first. Never throws.
    ///
    /// Cost: in proportion to the user's sessions, of which those that are listed are read.
    public func sessions(of user: ByteString, current id: SessionID?, limit: Int) -> UserSessionList {
        let own = digest(id)
        let all = sessions(of: user)
        var list = UserSessionList(total: all.count)
        var current: UserSession?
        for session in all {
            let isOwn = session.digest == own
            guard list.sessions.count < limit || isOwn else { continue }
            guard let record = operations.record(store.content(session)) else {
                list.total -= 1
                continue
            }
            let entry = UserSession(
                reference: Self.reference(session.reference), record: record, isCurrent: isOwn)
            if list.sessions.count < limit { list.sessions.append(entry) } else { current = entry }
        }
        if let current, limit > 0 { list.sessions[limit - 1] = current }
        return list
    }

    /// Removes one of a user's sessions. Never throws. A page that has it meanwhile does not bring it back.
    public func destroy(_ reference: SessionReference, of user: ByteString) -> Bool {
        let now = store.now
        guard let session = sessions(of: user).first(where: { Self.reference($0.reference) == reference }) else {
            return false
        }
        let isLive = operations.record(store.content(session)) != nil
        return store.state.withLock { state in
            // Still the same, and the user's.
            guard state.table.find(session.digest, at: now)?.reference == session.reference else { return false }
            return state.table.remove(session.digest, at: now)
        } && isLive
    }

    /// Removes a user's sessions but some, at one moment. Never throws. Pages that have one meanwhile do not bring it back.
    ///
    /// Cost: in proportion to the user's sessions; each is read.
    public func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) -> Int {
        let now = store.now
        let own = digest(id)
        // Those that are over by their own times go, and count for nothing.
        let over = Set(sessions(of: user).filter { operations.record(store.content($0)) == nil }.map(\.reference))
        return store.state.withLock { state in
            let all = state.table.sessions(of: user, at: now)
            guard id == nil || all.contains(where: { $0.digest == own && !over.contains($0.reference) }) else {
                return 0
            }
            var (left, removed) = (kept, 0)
            for session in all where session.digest != own {
                let isOver = over.contains(session.reference)
                if left > 0, !isOver {
                    left -= 1
                } else if state.table.remove(session.digest, at: now), !isOver {
                    removed += 1
                }
            }
            return removed
        }
    }

    private func sessions(of user: ByteString) -> [MemoryTable.Session] {
        let now = store.now
        return store.state.withLock { $0.table.sessions(of: user, at: now) }
    }

    private func digest(_ id: SessionID?) -> IDDigest? { id.flatMap(PHPSessionID.init).map(IDDigest.init) }

    private static func reference(_ number: UInt64) -> SessionReference {
        let digits = String(number, radix: 16)
        return SessionReference(rawValue: String(repeating: "0", count: 16 - digits.count) + digits)
    }
}
