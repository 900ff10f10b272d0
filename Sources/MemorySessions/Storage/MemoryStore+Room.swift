internal import GalletaPlatform
internal import Sessions
internal import Synchronization

/// Room under the caps. No lock is held while another is taken.
extension MemoryStore {
    /// Below so many sessions they are evicted one by one.
    private static let exactLimit = 512
    /// How long it is believed that nothing can make room, in nanoseconds.
    private static let searchPause: Int64 = 1_000_000

    /// Reserves one session of so many bytes, and makes room for it if need be; false when nothing may go for it.
    ///
    /// - Parameter isLogIn: Whether a session of the user who holds most may go for it.
    func reserve(_ cost: Int, isLogIn: Bool, at now: Int64) -> Bool {
        guard cost <= maximumBytes else {
            ledger.refusedOne()
            return false
        }
        let sessions = ledger.sessions.add(1, ordering: .relaxed).newValue
        let bytes = ledger.bytes.add(cost, ordering: .relaxed).newValue
        if sessions <= maximumSessions, bytes <= maximumBytes { return true }
        if makeRoom(at: now, sparing: nil, reserved: 1, isLogIn: isLogIn) { return true }
        ledger.release(sessions: 1, bytes: cost)
        ledger.refusedOne()
        return false
    }

    /// Counts a session that was answered for before, whether there is room or not: others go for it when the next one comes.
    func reserveAnyway(_ cost: Int) {
        ledger.sessions.add(1, ordering: .relaxed)
        ledger.bytes.add(cost, ordering: .relaxed)
    }

    /// Reserves bytes for a session that grows, and evicts others if need be, never the session itself.
    ///
    /// - Parameter isLogIn: Whether it gets a user: then a session of the user who holds most may go for it.
    func reserve(_ growth: Int, for id: MemoryKey, isLogIn: Bool, at now: Int64) -> Bool {
        ledger.bytes.add(growth, ordering: .relaxed)
        if makeRoom(at: now, sparing: id, reserved: 0, isLogIn: isLogIn) { return true }
        ledger.bytes.subtract(growth, ordering: .relaxed)
        ledger.refusedOne()
        return false
    }

    /// Reserves bytes for the memory of a replaced id; only older ones, and what expired, go for it.
    func reserveReplaced(_ cost: Int, at now: Int64) -> Bool {
        if ledger.reserve(bytes: cost, limit: maximumBytes) { return true }
        _ = evict([.retired], sparing: nil, at: now)
        return ledger.reserve(bytes: cost, limit: maximumBytes)
    }

    /// True when there may be need of room before long.
    var isHalfFull: Bool { count > maximumSessions / 2 || ledger.bytes.load(ordering: .relaxed) > maximumBytes / 2 }

    private var isOverSessions: Bool { ledger.sessions.load(ordering: .relaxed) > maximumSessions }

    private var isOverBytes: Bool { ledger.bytes.load(ordering: .relaxed) > maximumBytes }

    /// Takes out what may go until the store is within its caps; false when that is not enough.
    ///
    /// - Parameter reserved: Sessions that the caller counted and that are in no shard yet.
    private func makeRoom(at now: Int64, sparing spared: MemoryKey?, reserved: Int, isLogIn: Bool) -> Bool {
        while true {
            let isOverSessions = isOverSessions
            guard isOverSessions || isOverBytes else { return true }
            // The memory of a replaced id is no session: its end helps only when bytes are short.
            let kinds = isOverSessions ? [.fresh, .anonymous] : MemorySurvey.evictable
            let hasCandidates =
                ledger.sessions.load(ordering: .relaxed) - reserved > ledger.users.load(ordering: .relaxed)
                || (!isOverSessions && ledger.replaced.load(ordering: .relaxed) > 0)
            if hasCandidates || now >= nextSearch.load(ordering: .relaxed) {
                if evict(kinds, sparing: spared, at: now) > 0 { continue }
                // Under a flood of new sessions not each of them searches all shards for nothing.
                if !hasCandidates { nextSearch.store(now.addingSaturated(Self.searchPause), ordering: .relaxed) }
            }
            guard isLogIn, evictFromLargestHolder(sparing: spared, at: now) else {
                return !self.isOverSessions && !isOverBytes
            }
        }
    }

    /// Takes out the least recently seen session of the user who holds most; false when nobody holds two.
    ///
    /// Cost: constant, however many users and sessions there are.
    private func evictFromLargestHolder(sparing spared: MemoryKey?, at now: Int64) -> Bool {
        while let user = users.largestHolder {
            // Without an entry, or a session of it, others have taken them since: there is another holder now.
            guard let entry = users.oldest(of: user, sparing: spared),
                let (slot, isLive) = remove(entry.serial, of: user, at: now, isLogOut: false)
            else { continue }
            if isLive { ledger.evicted.add(1, ordering: .relaxed) }
            withExtendedLifetime(slot) {}
            return true
        }
        return false
    }

    /// Takes expired slots out, or else the first ones of the first of these kinds that has any.
    ///
    /// A small store evicts one slot at a time, the very first of all. A large one evicts a batch after one look at
    /// all shards, so that a flood of new sessions pays for a small part of that look each.
    ///
    /// - Returns: How many slots went.
    private func evict(_ kinds: [MemoryKind], sparing spared: MemoryKey?, at now: Int64) -> Int {
        let held = min(count, maximumSessions)
        let batch = held < Self.exactLimit ? 1 : min(Self.sliceLimit, held / 64)
        var garbage: [SessionValues] = []
        while true {
            var queues = [EvictionQueue](repeating: EvictionQueue(limit: batch), count: kinds.count)
            var freed = 0
            var (isUnsettled, hidesFirst) = (false, false)
            // From another shard each time, so that equal candidates are taken from all in turn.
            let start = evictionStart.add(batch, ordering: .relaxed).oldValue
            for offset in shards.indices {
                let index = (start &+ offset) & (Self.shardCount - 1)
                let survey = shards[index].withLock {
                    $0.survey(at: now, limit: Self.sliceLimit, sparing: spared, into: &garbage)
                }
                garbage.removeAll(keepingCapacity: true)
                freed += survey.freed
                if freed >= Self.sliceLimit { return freed }
                isUnsettled = isUnsettled || survey.isUnsettled
                hidesFirst = hidesFirst || survey.hidesFirst
                for (queue, kind) in kinds.enumerated() {
                    queues[queue].offer(shard: index, lastSeen: survey[kind])
                }
            }
            if freed > 0 { return freed }
            for (queue, kind) in zip(queues, kinds) where !queue.candidates.isEmpty {
                // Sessions that came back may still hide fresh ones, which must go before any other.
                if kind == .anonymous, hidesFirst { break }
                let evicted = queue.candidates.count { candidate in
                    let slot = shards[candidate.shard].withLock {
                        $0.evictOldest(kind, notAfter: candidate.lastSeen, sparing: spared)
                    }
                    return slot != nil
                }
                if evicted > 0 { return evicted }
                // All were visited or went since: look again.
                isUnsettled = true
                break
            }
            guard isUnsettled else { return 0 }
        }
    }
}
