import GalletaPlatform
import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("Memory given back by the memory provider")
struct MemoryCompactionTests {
    let memory: MemoryFixture
    var provider: MemoryProvider { memory.provider }

    init() throws {
        memory = try MemoryFixture()
    }

    /// Compacts all shards, and says how often a lock was held.
    @discardableResult
    private func compact() -> Int {
        var holds = 0
        for shard in provider.store.shards {
            repeat { holds += 1 } while shard.withLock { $0.compact(limit: 64) }
        }
        return holds
    }

    @Test("leaves few empty places when most sessions have expired, and loses none of the others")
    func compacts() throws {
        var kept: [SessionID: Int] = [:]
        for number in 0..<60_000 {
            // Every way in which a slot may stand in the orders.
            let user: ByteString? = number % 300 == 0 ? "user\(number % 7)" : nil
            let id = try memory.begin(user, idle: .seconds(number % 50 == 0 ? 5_000 : 10))
            guard number % 50 == 0 else { continue }
            try memory.set(.int(Int64(number)), for: SessionKey("number"), in: id)
            let new = SessionID.random()
            if number % 100 == 0 { _ = provider.rotate(id, to: new, grace: .seconds(number % 3)) }
            kept[number % 100 == 0 ? new : id] = number
        }
        let before = provider.store.capacity
        memory.time.advance(by: .seconds(10))
        while provider.collect(limit: 10_000).hasMore {}
        compact()
        #expect(before >= 60_000)
        // At most two chunks of 64 in excess a shard.
        #expect(provider.store.capacity <= provider.store.slotCount + 256 * 3 * 64)
        #expect(provider.store.capacity < before * 3 / 4)
        for (id, number) in kept {
            #expect(provider.read(id)?.values["number"] == .int(Int64(number)))
        }
        let listed = (0..<7).reduce(0) { $0 + memory.references("user\($1)").count }
        #expect(listed == 200 && provider.store.users.count == 200)
        memory.time.advance(by: .seconds(5_000))
        while provider.collect(limit: 10_000).hasMore {}
        #expect(provider.statistics().expired == 60_000)
        #expect(provider.store.slotCount == 0)
        compact()
        #expect(provider.store.capacity <= 256 * 2 * 64)
    }

    @Test("moves no more than 64 slots in one hold of a lock")
    func slices() throws {
        // Ids of one shard: the lowest byte of the first word is the same.
        let ids = (0..<6_400).map { number in
            SessionID(words: SessionIDWords(UInt64(number) << 8, .random(in: .min ... .max), 0, UInt64(number)))
        }
        for id in ids { try memory.begin(id: id) }
        // The lower half goes, so that each of the others has to move.
        for id in ids.prefix(4_800) { #expect(provider.destroy(id)) }
        let slots = provider.store.shard(ids[0].words).withLock { $0.pool.capacity }
        #expect(slots == 6_400)
        var holds = 0
        while provider.store.shard(ids[0].words).withLock({ $0.compact(limit: 64) }) { holds += 1 }
        #expect(holds >= 1_600 / 64)
        let after = provider.store.shard(ids[0].words).withLock { $0.pool.capacity }
        #expect(after <= 1_600 * 4 / 3 + 128)
        for id in ids.suffix(1_600) { #expect(provider.read(id) != nil) }
    }

    @Test("goes on beside creations, visits and removals from many threads")
    func concurrency() async throws {
        let survivors = try await withThrowingTaskGroup(of: [SessionID].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var kept: [SessionID] = []
                    for round in 0..<20 {
                        let ids = try (0..<400).map { _ in try memory.begin() }
                        for (position, id) in ids.enumerated() {
                            _ = provider.touch(id)
                            if position % 40 == round { kept.append(id) } else { _ = provider.destroy(id) }
                        }
                    }
                    return kept
                }
            }
            group.addTask {
                for _ in 0..<30 {
                    compact()
                    for shard in provider.store.shards { _ = shard.withLock { $0.settle(limit: 64) } }
                    await Task.yield()
                }
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(survivors.count == provider.count())
        #expect(survivors.allSatisfy { provider.read($0) != nil })
    }

    @Test("puts sessions that came back behind those that did not, in slices")
    func settles() throws {
        let ids = (0..<200).map { number in
            SessionID(words: SessionIDWords(UInt64(number) << 8, .random(in: .min ... .max), 0, UInt64(number)))
        }
        for id in ids {
            memory.time.advance(by: .milliseconds(1))
            try memory.begin(id: id)
        }
        for id in ids.prefix(150) { _ = provider.touch(id) }
        let shard = provider.store.shard(ids[0].words)
        #expect(shard.withLock { $0.settle(limit: 64) })
        #expect(shard.withLock { $0.settle(limit: 64) })
        #expect(!shard.withLock { $0.settle(limit: 64) })
        let counts = shard.withLock { ($0.orders.count(.fresh), $0.orders.count(.anonymous)) }
        #expect(counts == (50, 150))
    }
}
