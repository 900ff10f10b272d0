internal import GalletaPlatform
public import Sessions

extension MemoryProvider {
    /// What one look at the session brought.
    private enum CommitStep {
        case done(SessionCommitOutcome)
        /// The change needs so many bytes more than are reserved, and the store is at its cap.
        case short(Int, MemoryKey)
    }

    /// How often room is made for one change, when others change the session meanwhile.
    private static let roomLimit = 8

    /// Makes the patch's changes on the record as it is now.
    ///
    /// - Throws: A `SessionStoreError` of the reason `full` when the record would grow, the store is at its cap of bytes
    ///   and nothing may be evicted; nothing was changed.
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws(SessionStoreError) -> SessionCommitOutcome {
        let now = store.clock.nanoseconds
        // Drawn before the lock, as it asks the system.
        let binding = patch.changes.first { $0.isReserved && $0.key == .user }
        let serial: UInt64? = binding == nil ? nil : .random(in: .min ... .max)
        let isLogIn = binding.map { !$0.isRemoval } ?? false
        var reserved = 0
        defer { store.ledger.release(sessions: 0, bytes: reserved) }
        for _ in 0..<Self.roomLimit {
            switch step(patch, to: session.id.words, expecting: version, serial: serial, reserved: &reserved, at: now) {
            case .done(let outcome):
                return outcome
            case .short(let growth, let current):
                guard store.reserve(growth, for: current, isLogIn: isLogIn, at: now) else { throw Self.full }
                reserved += growth
            }
        }
        store.ledger.refusedOne()
        throw Self.full
    }

    private static var full: SessionStoreError {
        SessionStoreError(
            .full,
            "the memory provider is at its cap of bytes (maximumBytes), and only sessions with a user are left; "
                + "nothing was changed. Raise the cap, or lower maximumSessionsPerUser or limits.bytes")
    }

    /// - Parameter reserved: Bytes that were reserved for the change; those it took are taken off.
    private func step(
        _ patch: SessionPatch, to id: MemoryKey, expecting version: UInt64?, serial: UInt64?,
        reserved: inout Int, at now: Int64
    ) -> CommitStep {
        // Values that the commit replaces; released when this method returns, after the lock.
        var garbage = SessionValues()
        defer { withExtendedLifetime(garbage) {} }
        return following(id) { shard, id in
            switch shard.find(id, at: now) {
            case .none: return .missing(.done(.gone))
            case .alias(let successor): return .alias(successor)
            case .slot(let number, let slot):
                if let version, version != UInt64(slot.pointee.version) {
                    return .done(.done(.conflict(slot.pointee.record(at: now))))
                }
                if patch.isEmpty, patch.lifetime == nil {
                    // A visit and no more: find, note and return in one look.
                    if patch.touches { shard.noteVisit(slot, at: now) }
                    return .done(
                        .done(.committed(version: UInt64(slot.pointee.version), values: slot.pointee.values)))
                }
                let merged: SessionValues
                do throws(SessionError) {
                    merged = try slot.pointee.values.applying(patch, limits: patch.limits)
                } catch {
                    return .done(.done(.overLimit(error)))
                }
                garbage = slot.pointee.values
                let wasOfUser = slot.pointee.kind == .user
                guard patch.isEmpty || !merged.isEmpty else {
                    let removed = shard.remove(number)
                    if wasOfUser { shard.journalRemoval(removed) }
                    return .done(.done(.emptied))
                }
                if let lifetime = patch.lifetime, slot.pointee.isOver(with: lifetime, touched: patch.touches, at: now) {
                    let removed = shard.remove(number)
                    if wasOfUser { shard.journalRemoval(removed) }
                    shard.ledger.expired(1)
                    return .done(.done(.gone))
                }
                if !patch.isEmpty, let growth = shard.put(merged, number, serial: serial, in: store, &reserved) {
                    return .done(.short(growth, id))
                }
                if patch.touches { shard.noteVisit(slot, at: now) }
                if let lifetime = patch.lifetime {
                    slot.pointee.set(lifetime)
                    shard.deadlineChanged(number)
                    shard.ledger.notes.changed(slot.pointee)
                }
                // A log-in, a log-out that leaves the session, another lifetime of a log-in.
                if serial != nil || patch.lifetime != nil, wasOfUser || slot.pointee.kind == .user {
                    shard.journal(slot.pointee)
                }
                return .done(.done(.committed(version: UInt64(slot.pointee.version), values: merged)))
            }
        } reached: { step, successor in
            switch step {
            case .done(.committed(let version, let values, _)):
                step = .done(.committed(version: version, values: values, successor: SessionID(words: successor)))
            case .done(.conflict(var record)):
                record.successor = SessionID(words: successor)
                step = .done(.conflict(record))
            case .done, .short:
                break
            }
        }
    }
}

extension MemoryShard {
    /// Gives a session other values, and another user if `serial` is given.
    ///
    /// - Parameter reserved: Bytes reserved for it; those it takes are taken off.
    /// - Returns: The bytes that are missing, if the store has no room; nothing was changed then.
    @inline(__always)
    fileprivate mutating func put(
        _ values: SessionValues, _ number: UInt32, serial: UInt64?, in store: MemoryStore, _ reserved: inout Int
    ) -> Int? {
        let slot = pool.slot(number)
        var growth =
            MemorySlot.cost(values: values, user: nil) - MemorySlot.cost(values: slot.pointee.values, user: nil)
        var (before, after): (ByteString?, ByteString?)
        if serial != nil {
            (before, after) = (slot.pointee.user, values.user)
            growth = MemorySlot.cost(values: values, user: after) - slot.pointee.cost
        }
        if growth > reserved {
            guard ledger.reserve(bytes: growth - reserved, limit: store.maximumBytes) else { return growth - reserved }
            reserved = 0
        } else if growth < 0 {
            ledger.release(sessions: 0, bytes: -growth)
        } else {
            reserved -= growth
        }
        slot.pointee.values = values
        table.valuesChanged(slot.pointee.id, number: number, to: values)
        slot.pointee.version &+= 1
        if let serial { bind(number, from: before, to: after.map { (user: $0, serial: serial) }) }
        return nil
    }
}
