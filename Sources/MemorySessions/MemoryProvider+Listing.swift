public import Sessions

extension MemoryProvider {
    /// Some of the live sessions, at least `limit` unless it is the last page, and up to 64 more. Never throws.
    ///
    /// A shard's lock is held for copies of 64 places. A session whose id changes meanwhile may be missing, or twice there.
    public func sessions(from position: SessionListPosition?, limit: Int) -> SessionListPage {
        let now = store.clock.nanoseconds
        var shard = Int((position?.rawValue ?? 0) >> 32)
        // Downwards: places only ever move to lower numbers, so none is missed. Zero: the shard's last one is yet to be asked.
        var chunk = Int(truncatingIfNeeded: (position?.rawValue ?? 0) & 0xFFFF_FFFF)
        var page = SessionListPage()
        while shard < MemoryStore.shardCount, page.sessions.count < max(1, limit) {
            if chunk == 0 { chunk = store.shards[shard].withLock { $0.pool.chunkTotal } }
            if chunk > 0 {
                chunk -= 1
                let asked = chunk
                page.sessions += store.shards[shard].withLock { shard in
                    var found: [SessionRecord] = []
                    shard.pool.forEach(inChunk: asked) { slot in
                        if slot.kind.isSession, slot.deadline > now { found.append(slot.record(at: now)) }
                    }
                    return found
                }
            }
            if chunk == 0 { shard += 1 }
        }
        if shard < MemoryStore.shardCount {
            page.next = SessionListPosition(rawValue: UInt64(shard) << 32 | UInt64(chunk))
        }
        return page
    }
}
