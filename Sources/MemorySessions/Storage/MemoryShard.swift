internal import Sessions

/// A part of the sessions, behind one lock: slots, the table of ids, the order of deadlines.
///
/// Invariant: a slot is in the table and in the heap exactly while it is in the pool, and its bound in the heap is
/// never later than its deadline. Values that go are handed out, to be released after the lock.
struct MemoryShard {
    /// What an id leads to.
    enum Found {
        case none
        case alias(SessionID)
        case slot(UInt32, UnsafeMutablePointer<MemorySlot>)
    }

    private let pool = SlotPool()
    private var table = IDTable()
    private var deadlines = DeadlineHeap()

    /// What `id` leads to at `now`; an expired slot counts as none.
    @inline(__always)
    func find(_ id: SessionID, at now: Int64) -> Found {
        guard let number = table.find(id, in: pool) else { return .none }
        let slot = pool.slot(number)
        guard slot.pointee.deadline > now else { return .none }
        if slot.pointee.isAlias {
            guard let successor = slot.pointee.successor else { return .none }
            return .alias(successor)
        }
        return .slot(number, slot)
    }

    /// Slots in use: sessions and aliases, expired ones that were not collected included.
    var slotCount: Int { table.count }

    /// True when a live session or alias has the id; a slot that expired under it is taken out into `expired`.
    mutating func isTaken(_ id: SessionID, at now: Int64, expired: inout MemorySlot?) -> Bool {
        guard let number = table.find(id, in: pool) else { return false }
        guard pool.slot(number).pointee.deadline <= now else { return true }
        expired = remove(number)
        return false
    }

    mutating func insert(_ slot: MemorySlot) {
        let number = pool.insert(slot)
        table.insert(slot.id, number: number)
        deadlines.insert(number, bound: slot.deadline)
    }

    mutating func remove(_ number: UInt32) -> MemorySlot {
        deadlines.remove(number)
        let slot = pool.remove(number)
        table.remove(slot.id, number: number)
        return slot
    }

    /// Takes the slot of `id` out, expired or not.
    mutating func remove(id: SessionID) -> MemorySlot? {
        table.find(id, in: pool).map { remove($0) }
    }

    /// Must follow each change that can make a deadline earlier; a later one needs nothing.
    mutating func deadlineChanged(_ number: UInt32) {
        deadlines.update(number, bound: pool.slot(number).pointee.deadline)
    }

    /// Looks at no more than `limit` slots whose bound is reached, and takes the expired ones out.
    ///
    /// - Returns: How many sessions, without aliases, went, at how many slots it looked, and what comes next.
    mutating func sweep(at now: Int64, limit: Int, into garbage: inout [SessionValues]) -> MemorySlice {
        var removed = 0
        var looked = 0
        while looked < limit, let (bound, number) = deadlines.first, bound <= now {
            looked += 1
            if pool.slot(number).pointee.deadline <= now {
                let slot = remove(number)
                removed += slot.isAlias ? 0 : 1
                garbage.append(slot.values)
            } else {
                deadlineChanged(number)
            }
        }
        let next = deadlines.first?.bound
        return MemorySlice(removed: removed, looked: looked, hasMore: next.map { $0 <= now } ?? false, nextBound: next)
    }
}
