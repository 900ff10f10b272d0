internal import GalletaPlatform
public import Sessions
internal import Synchronization

/// One look at a shard: an answer, or the next id to look under.
enum MemoryStep<Answer> {
    case done(Answer)
    case alias(MemoryKey)
    /// The answer when there is nothing under the id, not even a restored session.
    case missing(Answer)
}

extension MemoryProvider {
    /// How many rotations in a row an id may lag behind.
    private static let hopLimit = 8

    /// Runs `look` under the lock of the id's shard, and again under the id that a rotation put in its place.
    ///
    /// - Parameters:
    ///   - look: Runs once a shard; must not call out.
    ///   - reached: Runs on the answer, after the lock, when it was found under another id.
    @inline(__always)
    func following<Answer>(
        _ id: MemoryKey, _ look: (inout MemoryShard, MemoryKey) -> MemoryStep<Answer>,
        reached: (inout Answer, MemoryKey) -> Void
    ) -> Answer {
        var current = id
        var hops = 0
        var mayBeRestored = store.restored.areInUse
        while true {
            switch store.shard(current).withLock({ look(&$0, current) }) {
            case .done(var answer):
                if hops > 0 { reached(&answer, current) }
                return answer
            case .alias(let successor):
                // A chain is as long as rotations within one grace; beyond, the id leads nowhere.
                current = hops < Self.hopLimit ? successor : .zero
                hops += 1
                mayBeRestored = store.restored.areInUse
            case .missing(let answer):
                guard mayBeRestored else { return answer }
                mayBeRestored = false
                store.claim(current, at: store.clock.nanoseconds)
            }
        }
    }

    /// Removes the session. Never throws.
    public func destroy(_ session: SessionHandle) -> Bool {
        let now = store.clock.nanoseconds
        var garbage: [MemorySlot] = []
        defer { withExtendedLifetime(garbage) {} }
        return following(session.id.words) { shard, id in
            switch shard.find(id, at: now) {
            case .none:
                return .missing(false)
            case .alias(let successor):
                if let (number, _) = shard.slot(of: id) { garbage.append(shard.remove(number)) }
                return .alias(successor)
            case .slot(let number, _):
                let slot = shard.remove(number)
                shard.journalRemoval(slot)
                garbage.append(slot)
                return .done(true)
            }
        } reached: { _, _ in
        }
    }

    /// Gives the session a new id, under the locks of both places, and remembers the old one. Never throws.
    ///
    /// Without a grace a store at its cap of bytes may not remember it.
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) -> SessionRotation {
        // As `create`: no foreign id is this provider's.
        new.isForeign ? .taken : rotate(session.id.words, to: new.words, grace: grace)
    }

    private func rotate(_ id: MemoryKey, to new: MemoryKey, grace: Duration) -> SessionRotation {
        let now = store.clock.nanoseconds
        let grace = max(0, grace.nanoseconds)
        // Made before the locks, as it allocates.
        let replaced = MemorySlot.values(successor: new)
        let cost = MemorySlot.cost(values: replaced, user: nil)
        var remembers = store.reserveReplaced(cost, at: now)
        if !remembers, grace > 0 {
            // The visitor's parallel requests depend on it, and it is over in seconds.
            store.ledger.bytes.add(cost, ordering: .relaxed)
            remembers = true
        }
        if store.restored.areInUse {
            store.claim(id, at: now)
            store.claim(new, at: now)
        }
        var garbage: (SessionValues, MemorySlot?) = (SessionValues(), nil)
        defer { withExtendedLifetime(garbage) {} }
        let outcome = store.withShards(of: id, and: new) { source, target -> SessionRotation in
            switch source.pointee.find(id, at: now) {
            case .none:
                return .gone
            case .alias(let successor):
                return .successor(SessionID(words: successor))
            case .slot(let number, let slot):
                guard !target.pointee.isTaken(new, at: now, expired: &garbage.1) else { return .taken }
                var moved = slot.pointee
                moved.id = new
                garbage.0 = moved.values
                if remembers {
                    source.pointee.retire(number, at: now, grace: grace, values: replaced)
                } else {
                    _ = source.pointee.take(number)
                }
                target.pointee.place(moved)
                if let user = moved.user { store.users.move(id, to: new, user: user) }
                store.ledger.notes.changed(moved, from: id)
                target.pointee.journal(moved, from: id, graceEnd: grace > 0 ? now.addingSaturated(grace) : 0)
                return .rotated
            }
        }
        if remembers, case .rotated = outcome { return .rotated }
        if remembers { store.ledger.release(sessions: 0, bytes: cost) }
        guard case .successor = outcome else { return outcome }
        // All latecomers get the one id under which the session is now.
        guard case .found(let record) = lookUp(SessionHandle(SessionID(words: id))), let last = record.successor else {
            return .gone
        }
        return .successor(last)
    }

    /// Since when another id has stood in the place of this one: for an hour after the rotation, as long as the session
    /// lives and there is room.
    func retirement(of id: MemoryKey) -> SessionRetirement? {
        let now = store.clock.nanoseconds
        guard let first = replacement(of: id, at: now), let successor = first.successor else { return nil }
        var current = successor
        for _ in 0..<Self.retirementHopLimit {
            guard let next = replacement(of: current, at: now) else { return nil }
            guard let later = next.successor else {
                return SessionRetirement(
                    age: .nanoseconds(now.subtractingSaturated(first.since)), successor: SessionID(words: successor))
            }
            current = later
        }
        return nil
    }

    /// How many rotations an hour are followed to a session.
    private static let retirementHopLimit = 64

    /// Since when the id is replaced, and by which; without a successor it is a live session's own. Nil: it is neither.
    private func replacement(of id: MemoryKey, at now: Int64) -> (since: Int64, successor: MemoryKey?)? {
        store.shard(id).withLock { shard in
            guard let (_, slot) = shard.slot(of: id), slot.pointee.deadline > now else { return nil }
            if slot.pointee.kind.isSession { return (now, nil) }
            return slot.pointee.successor.map { (slot.pointee.lastSeen, $0) }
        }
    }
}
