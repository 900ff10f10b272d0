internal import Sessions
internal import Synchronization

extension MemoryShard {
    /// Below so many sessions of a kind all are looked at; above, the order of deadlines decides.
    private static let exactCount = 8

    /// What could go for others: after expired slots were taken out, the first of each kind that may be evicted.
    ///
    /// - Parameters:
    ///   - limit: The most slots to look at, for each kind.
    ///   - spared: A session that must not be offered.
    mutating func survey(
        at now: Int64, limit: Int, sparing spared: MemoryKey?, into garbage: inout [SessionValues]
    ) -> MemorySurvey {
        let before = slotCount
        let slice = sweep(at: now, limit: limit, into: &garbage)
        var survey = MemorySurvey(freed: before - slotCount)
        survey.hidesFirst = slice.hasMore && survey.freed == 0
        guard survey.freed == 0 else { return survey }
        let withheld = withhold(spared)
        for kind in MemorySurvey.evictable {
            switch oldest(kind, limit: limit) {
            case .none: break
            case .unsettled:
                survey.isUnsettled = true
                if kind == .fresh { survey.hidesFirst = true }
            case .slot(_, let lastSeen): survey[kind] = lastSeen
            }
        }
        release(withheld)
        survey.isUnsettled = survey.isUnsettled || survey.hidesFirst
        return survey
    }

    /// Takes out the first slot of a kind, unless it was seen after `lastSeen`.
    mutating func evictOldest(
        _ kind: MemoryKind, notAfter lastSeen: Int64, sparing spared: MemoryKey?
    ) -> MemorySlot? {
        let withheld = withhold(spared)
        defer { release(withheld) }
        guard case .slot(let number, let seen) = oldest(kind, limit: MemoryStore.sliceLimit), seen <= lastSeen else {
            return nil
        }
        let slot = remove(number)
        if slot.kind.isSession { ledger.evicted.add(1, ordering: .relaxed) }
        return slot
    }

    private enum Oldest {
        case none
        /// There are some, but it takes more looks to find the first.
        case unsettled
        case slot(UInt32, lastSeen: Int64)
    }

    /// The slot of a kind that was not seen for the longest time.
    ///
    /// Of many with different timeouts: the one that ends first if nobody comes.
    private mutating func oldest(_ kind: MemoryKind, limit: Int) -> Oldest {
        if kind == .fresh, settle(limit: limit) { return .unsettled }
        let count = orders.count(kind)
        if count == 0 { return .none }
        if count <= Self.exactCount { return leastRecent(kind, count) }
        for _ in 0..<limit {
            guard let (bound, number) = orders.first(kind) else { return .none }
            let slot = pool.slot(number)
            if kind == .fresh, slot.pointee.isSeen {
                change(number, to: .anonymous)
            } else if slot.pointee.bound > bound {
                deadlineChanged(number)
            } else {
                return .slot(number, lastSeen: slot.pointee.lastSeen)
            }
        }
        return .unsettled
    }

    private func leastRecent(_ kind: MemoryKind, _ count: Int) -> Oldest {
        var found: (number: UInt32, lastSeen: Int64)?
        for position in 0..<count {
            let number = orders.number(kind, at: position)
            let slot = pool.slot(number)
            if kind == .fresh, slot.pointee.isSeen { continue }
            let lastSeen = slot.pointee.lastSeen
            if let known = found, known.lastSeen <= lastSeen { continue }
            found = (number, lastSeen)
        }
        guard let found else { return .none }
        return .slot(found.number, lastSeen: found.lastSeen)
    }

    /// Takes a session out of the order for a moment, within one hold of the lock.
    private mutating func withhold(_ id: MemoryKey?) -> UInt32? {
        guard let id, let number = table.find(id, in: pool) else { return nil }
        orders.remove(number, pool.slot(number).pointee.kind)
        return number
    }

    private mutating func release(_ number: UInt32?) {
        guard let number else { return }
        let slot = pool.slot(number)
        orders.insert(number, slot.pointee.kind, bound: slot.pointee.bound)
    }
}
