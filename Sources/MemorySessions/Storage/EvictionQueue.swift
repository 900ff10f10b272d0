/// The shards whose first slots were not seen for the longest time, as many as are to be evicted at once.
struct EvictionQueue {
    struct Candidate {
        var lastSeen: Int64
        var shard: Int
    }

    private let limit: Int
    /// In ascending order of `lastSeen`.
    private(set) var candidates: [Candidate] = []

    init(limit: Int) {
        self.limit = limit
        candidates.reserveCapacity(limit + 1)
    }

    mutating func offer(shard: Int, lastSeen: Int64) {
        guard lastSeen < .max else { return }
        if candidates.count == limit, let last = candidates.last, last.lastSeen <= lastSeen { return }
        var position = candidates.count
        while position > 0, candidates[position - 1].lastSeen > lastSeen { position -= 1 }
        candidates.insert(Candidate(lastSeen: lastSeen, shard: shard), at: position)
        if candidates.count > limit { candidates.removeLast() }
    }
}
