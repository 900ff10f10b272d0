internal import GalletaPlatform
public import Sessions

/// One look at a shard: an answer, or the next id to look under.
enum MemoryStep<Answer> {
    case done(Answer)
    case alias(SessionID)
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
        _ id: SessionID, _ look: (inout MemoryShard, SessionID) -> MemoryStep<Answer>,
        reached: (inout Answer, SessionID) -> Void
    ) -> Answer {
        var current = id
        var hops = 0
        while true {
            switch store.shard(current).withLock({ look(&$0, current) }) {
            case .done(var answer):
                if hops > 0 { reached(&answer, current) }
                return answer
            case .alias(let successor):
                // A chain is as long as rotations within one grace; beyond, the id leads nowhere.
                current = hops < Self.hopLimit ? successor : SessionID(words: (0, 0, 0, 0))
                hops += 1
            }
        }
    }

    /// Removes the session. Never throws.
    public func destroy(_ id: SessionID) -> Bool {
        let now = store.clock.nanoseconds
        var garbage: [MemorySlot] = []
        defer { withExtendedLifetime(garbage) {} }
        return following(id) { shard, id in
            switch shard.find(id, at: now) {
            case .none:
                return .done(false)
            case .alias(let successor):
                if let slot = shard.remove(id: id) { garbage.append(slot) }
                return .alias(successor)
            case .slot(let number, _):
                garbage.append(shard.remove(number))
                store.released(1)
                return .done(true)
            }
        } reached: { _, _ in
        }
    }

    /// Gives the session a new id, under the locks of both places. Never throws.
    public func rotate(_ id: SessionID, to new: SessionID, grace: Duration) -> SessionRotation {
        let now = store.clock.nanoseconds
        let grace = grace.nanoseconds
        // Made before the locks, as it allocates.
        let alias = grace > 0 ? MemorySlot.aliasValues(new) : SessionValues()
        var expired: MemorySlot?
        let outcome = store.withShards(of: id, and: new) { source, target -> SessionRotation in
            switch source.pointee.find(id, at: now) {
            case .none:
                return .gone
            case .alias(let successor):
                return .successor(successor)
            case .slot(let number, let slot):
                guard !target.pointee.isTaken(new, at: now, expired: &expired) else { return .taken }
                var moved = slot.pointee
                moved.id = new
                if grace > 0 {
                    slot.pointee.values = alias
                    slot.pointee.isAlias = true
                    slot.pointee.lastSeen = now
                    slot.pointee.idleTimeout = grace
                    source.pointee.deadlineChanged(number)
                } else {
                    _ = source.pointee.remove(number)
                }
                target.pointee.insert(moved)
                return .rotated
            }
        }
        store.released(expired)
        guard case .successor = outcome else { return outcome }
        // All latecomers get the one id under which the session is now.
        guard let record = read(id), let last = record.successor else { return .gone }
        return .successor(last)
    }
}
