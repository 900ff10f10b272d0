internal import GalletaPlatform
internal import Sessions

extension MemoryStore {
    /// Puts the restored session of `id`, if there is one, under the id itself, under the locks of both places.
    func claim(_ id: MemoryKey, at now: Int64) {
        let key = restored.swap(IDDigest.of(id))
        withShards(of: key, and: id) { source, target in
            guard let (number, slot) = source.pointee.slot(of: key), slot.pointee.deadline > now,
                target.pointee.slot(of: id) == nil
            else { return }
            var moved = slot.pointee
            moved.id = id
            moved.isDigest = false
            // Of a replaced id the file has the next one sealed, and here is who can open it.
            if !moved.kind.isSession { moved.openSuccessor() }
            _ = source.pointee.take(number)
            target.pointee.place(moved)
            if let user = moved.user { users.move(key, to: id, user: user) }
            if moved.kind.isSession { ledger.notes.changed(moved) }
            // Last: who still sees it counted looks once more.
            restored.removed()
        }
    }

    /// Puts a session of a snapshot in; an earlier one of the same id goes.
    ///
    /// The order of users' sessions is left to `users.sort()`, as a snapshot has none.
    ///
    /// - Parameter isJournalled: Whether its log-in was answered for, at the cost of others that the file may still have.
    /// - Returns: False when there is no room for it.
    func restore(_ session: SnapshotSession, isJournalled: Bool, shift: Int64, at now: Int64) -> Bool {
        let user = session.values.user
        let slot = session.slot(id: restored.swap(session.digest), shift: shift, at: now)
        let cost = MemorySlot.cost(values: slot.values, user: user)
        if isJournalled, user != nil {
            reserveAnyway(cost)
        } else {
            guard reserve(cost, isLogIn: false, at: now) else { return false }
        }
        let binding = user.map { (user: $0, serial: session.serial == 0 ? .random(in: 1 ... .max) : session.serial) }
        shard(slot.id).withLock { shard in shard.insert(slot, binding: binding) }
        restored.added()
        return true
    }

    /// Has a replaced id lead to its successor again, until its grace ends.
    ///
    /// - Parameters:
    ///   - digest: The old id's.
    ///   - sealed: The new id, as `SessionID.sealed(with:)` made it.
    func restoreReplaced(_ digest: MemoryKey, sealed: MemoryKey, graceEnd: Int64, at now: Int64) {
        guard graceEnd > now else { return }
        let values = MemorySlot.values(successor: sealed)
        guard reserveReplaced(MemorySlot.cost(values: values, user: nil), at: now) else { return }
        let slot = MemorySlot(
            id: restored.swap(digest), values: values, created: now, lastSeen: now, idleTimeout: graceEnd - now,
            absoluteDeadline: graceEnd, version: 0, kind: .alias, isSeen: true, isDigest: true)
        shard(slot.id).withLock { shard in shard.insert(slot, binding: nil) }
        restored.added()
    }

    /// Takes a session out that was restored before.
    ///
    /// - Returns: False when there is none.
    func removeRestored(_ digest: MemoryKey) -> Bool {
        let key = restored.swap(digest)
        let removed = shard(key).withLock { shard in shard.slot(of: key).map { shard.remove($0.number) } }
        return removed != nil
    }
}
