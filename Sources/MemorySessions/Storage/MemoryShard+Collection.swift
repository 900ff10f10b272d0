internal import Sessions

extension MemoryShard {
    /// Looks at no more than `limit` slots whose bound is reached, and takes the expired ones out.
    ///
    /// - Returns: How many sessions, without replaced ids, went, at how many slots it looked, and what comes next.
    mutating func sweep(at now: Int64, limit: Int, into garbage: inout [SessionValues]) -> MemorySlice {
        var removed = 0
        var looked = 0
        while looked < limit, let (bound, number) = orders.first, bound <= now {
            looked += 1
            let slot = pool.slot(number)
            if slot.pointee.deadline <= now {
                let slot = remove(number)
                removed += slot.kind.isSession ? 1 : 0
                garbage.append(slot.values)
            } else if slot.pointee.kind == .alias {
                change(number, to: .retired)
            } else {
                deadlineChanged(number)
            }
        }
        ledger.expired(removed)
        let next = orders.first?.bound
        return MemorySlice(removed: removed, looked: looked, hasMore: next.map { $0 <= now } ?? false, nextBound: next)
    }

    /// Puts sessions that came back since they began among the anonymous ones, the oldest first.
    ///
    /// Done ahead of need, so that no single new session has to do it for all.
    ///
    /// - Returns: True when there may be more.
    mutating func settle(limit: Int) -> Bool {
        var looked = 0
        while let (_, number) = orders.first(.fresh), pool.slot(number).pointee.isSeen {
            guard looked < limit else { return true }
            change(number, to: .anonymous)
            looked += 1
        }
        return false
    }

    /// Moves at most `limit` slots to free places, and gives memory back that is not needed after a peak.
    ///
    /// - Returns: True when there is more to do.
    mutating func compact(limit: Int) -> Bool {
        var steps = 0
        while pool.isSparse {
            guard steps < limit else { return true }
            steps += 1
            if pool.dropLast() { continue }
            guard let number = pool.last else { break }
            let slot = pool.slot(number)
            let (id, kind) = (slot.pointee.id, slot.pointee.kind)
            let new = pool.move(number)
            table.renumber(id, from: number, to: new)
            orders.renumber(number, to: new, kind)
        }
        orders.shrink(capacity: pool.capacity)
        return false
    }
}
