internal import GalletaPlatform
public import Sessions

extension MemoryProvider {
    /// The live sessions that belong to `user`, the one last seen first. Never throws.
    ///
    /// Cost: a lookup for each session that is listed, or expired and not collected yet, each under the lock of its own
    /// shard.
    public func sessions(of user: ByteString, current id: SessionID?, limit: Int) -> UserSessionList {
        let now = store.clock.nanoseconds
        let own = id.flatMap { serial(of: $0.words, user: user, at: now) }
        var asked = limit
        while true {
            let entries = store.users.newest(of: user, limit: asked)
            let total = store.users.count(of: user)
            let found = entries.compactMap { session($0.serial, of: user, own: own, at: now) }
            // Some have expired, so that there may be others behind them.
            guard found.count >= limit || entries.count < asked else {
                asked = asked.addingReportingOverflow(max(asked, 1)).overflow ? .max : 2 * asked
                continue
            }
            let expired = entries.count - found.count
            return list(
                Array(found.prefix(limit)), of: user, own: own, total: max(found.count, total - expired), limit, at: now
            )
        }
    }

    /// The sessions in order, the caller's own among them.
    private func list(
        _ found: [UserSession], of user: ByteString, own: UInt64?, total: Int, _ limit: Int, at now: Int64
    ) -> UserSessionList {
        var sessions = found
        if let own, limit > 0, !sessions.contains(where: \.isCurrent),
            let session = session(own, of: user, own: own, at: now)
        {
            if sessions.count == limit { sessions.removeLast() }
            sessions.append(session)
        }
        // Of those seen at the same moment the youngest first; and visits meanwhile may have changed the order.
        sessions.sort {
            ($0.record.idleNanoseconds, $0.record.ageNanoseconds) < (
                $1.record.idleNanoseconds, $1.record.ageNanoseconds
            )
        }
        return UserSessionList(sessions: sessions, total: max(total, sessions.count))
    }

    private func session(_ serial: UInt64, of user: ByteString, own: UInt64?, at now: Int64) -> UserSession? {
        let record = store.withSession(serial, of: user) { shard, number -> SessionRecord? in
            let slot = shard.pool.slot(number)
            return slot.pointee.deadline > now ? slot.pointee.record(at: now) : nil
        }
        guard let record, let record else { return nil }
        return UserSession(
            reference: SessionReference(serial: serial), record: record, isCurrent: serial == own)
    }

    /// Removes one of a user's sessions. Never throws.
    public func destroy(_ reference: SessionReference, of user: ByteString) -> Bool {
        guard let serial = reference.serial else { return false }
        return store.remove(serial, of: user, at: store.clock.nanoseconds, isLogOut: true)?.isLive ?? false
    }

    /// Removes a user's sessions but some: each that was bound when the call began, whatever its id becomes meanwhile. A
    /// log-in during the call survives, also one of the same session. Never throws.
    ///
    /// Cost: a lookup for each session that is removed or kept; constant when the user has no more than are kept.
    public func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) -> Int {
        guard store.users.count(of: user) > kept else { return 0 }
        // One at a time for a user: two log-ins that leave no room for another session would end each other.
        return store.endings(of: user).withLock { _ in endSessions(of: user, except: id, keeping: kept) }
    }

    private func endSessions(of user: ByteString, except id: SessionID?, keeping kept: Int) -> Int {
        let now = store.clock.nanoseconds
        let spared = id.flatMap { serial(of: $0.words, user: user, at: now) }
        guard id == nil || spared != nil else { return 0 }
        var left = kept
        return store.users.newest(of: user, limit: .max).count { entry in
            guard entry.serial != spared else { return false }
            if left > 0 {
                let isLive = store.withSession(entry.serial, of: user) { $0.pool.slot($1).pointee.deadline > now }
                if isLive ?? false {
                    left -= 1
                    return false
                }
            }
            return store.remove(entry.serial, of: user, at: now, isLogOut: true)?.isLive ?? false
        }
    }

    /// The serial of the session of `id`, or of its successor, if it belongs to the user.
    private func serial(of id: MemoryKey, user: ByteString, at now: Int64) -> UInt64? {
        following(id) { shard, id -> MemoryStep<UInt64?> in
            switch shard.find(id, at: now) {
            case .none: .missing(nil)
            case .alias(let successor): .alias(successor)
            case .slot: .done(store.users.serial(of: id, user: user))
            }
        } reached: { _, _ in
        }
    }
}

extension SessionReference {
    private static let digitCount = 16

    fileprivate init(serial: UInt64) {
        let digits = String(serial, radix: 16)
        self.init(rawValue: String(repeating: "0", count: Self.digitCount - digits.count) + digits)
    }

    /// The number that the text stands for, if it is one of ours.
    fileprivate var serial: UInt64? {
        guard let serial = UInt64(rawValue, radix: 16), SessionReference(serial: serial) == self else { return nil }
        return serial
    }
}
