internal import GalletaPlatform
public import Sessions

extension MemoryProvider {
    /// The live sessions that belong to `user`, the one last seen first. Never throws.
    ///
    /// Cost: a lookup for each session of the user, each under the lock of its own shard.
    public func sessions(of user: String, current id: SessionID?) -> [UserSession] {
        let now = store.clock.nanoseconds
        let current = id.flatMap { serial(of: $0, user: user, at: now) }
        var found: [UserSession] = []
        for entry in store.users.entries(of: user) {
            let record = withSession(entry.serial, of: user) { shard, number -> SessionRecord? in
                let slot = shard.pool.slot(number)
                return slot.pointee.deadline > now ? slot.pointee.record(at: now) : nil
            }
            guard let record, let record else { continue }
            found.append(
                UserSession(
                    reference: SessionReference(serial: entry.serial), record: record,
                    isCurrent: entry.serial == current))
        }
        return found.sorted {
            ($0.record.idleNanoseconds, $0.record.ageNanoseconds) < (
                $1.record.idleNanoseconds, $1.record.ageNanoseconds
            )
        }
    }

    /// Removes one of a user's sessions. Never throws.
    public func destroy(_ reference: SessionReference, of user: String) -> Bool {
        guard let serial = reference.serial else { return false }
        return remove(serial, of: user, at: store.clock.nanoseconds)
    }

    /// Removes a user's sessions but one: each that was bound when the call began, whatever its id becomes meanwhile. A
    /// log-in during the call survives, also one of the same session. Never throws.
    public func destroySessions(of user: String, except id: SessionID?) -> Int {
        let now = store.clock.nanoseconds
        let spared = id.flatMap { serial(of: $0, user: user, at: now) }
        return store.users.entries(of: user).count { $0.serial != spared && remove($0.serial, of: user, at: now) }
    }

    private func remove(_ serial: UInt64, of user: String, at now: Int64) -> Bool {
        let removed = withSession(serial, of: user) { shard, number in
            let slot = shard.remove(number)
            let isLive = slot.deadline > now
            if !isLive { shard.ledger.expired(1) }
            return (slot, isLive)
        }
        return removed?.1 ?? false
    }

    /// The serial of the session of `id`, or of its successor, if it belongs to the user.
    private func serial(of id: SessionID, user: String, at now: Int64) -> UInt64? {
        following(id) { shard, id -> MemoryStep<UInt64?> in
            switch shard.find(id, at: now) {
            case .none: .missing(nil)
            case .alias(let successor): .alias(successor)
            case .slot: .done(store.users.serial(of: id, user: user))
            }
        } reached: { _, _ in
        }
    }

    /// Runs `body` under the lock of the shard where the session is; nil when the user has none of this serial.
    ///
    /// A session that rotates meanwhile is looked for under its next id, until it is found or no longer the user's.
    private func withSession<Result>(
        _ serial: UInt64, of user: String, _ body: (inout MemoryShard, UInt32) -> Result
    ) -> Result? {
        while let id = store.users.id(of: serial, user: user) {
            let result = store.shard(id).withLock { shard -> Result? in
                // Under this lock no session of the shard moves, so the index is right about an id that is here.
                guard store.users.id(of: serial, user: user) == id, let (number, _) = shard.slot(of: id) else {
                    return nil
                }
                return body(&shard, number)
            }
            if let result { return result }
        }
        return nil
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
