import GalletaPlatform
import Sessions
import SessionsTesting
import Synchronization
import Testing

@testable import MemorySessions

@Suite("Eviction in the memory provider")
struct MemoryEvictionTests {
    private func isLive(_ id: SessionID, in memory: MemoryFixture) -> Bool {
        memory.provider.store.shard(id.words).withLock { $0.slot(of: id.words)?.slot.pointee.kind.isSession ?? false }
    }

    /// Which of these are left, found without a visit that would count.
    private func left(_ ids: [SessionID], in memory: MemoryFixture) -> [Int] {
        ids.indices.filter { isLive(ids[$0], in: memory) }
    }

    @Test("takes expired sessions first, whoever they belong to", arguments: [3, 5, 300])
    func expiredFirst(cap: Int) throws {
        let memory = try MemoryFixture(maximumSessions: cap)
        let fresh = try memory.begin(cap - 1)
        let expired = try memory.begin("ada", idle: .seconds(5))
        memory.time.advance(by: .seconds(5))
        try memory.begin()
        #expect(left(fresh, in: memory).count == cap - 1)
        #expect(!isLive(expired, in: memory))
        let counts = memory.provider.statistics()
        #expect(counts.sessions == cap && counts.expired == 1 && counts.evicted == 0)
    }

    @Test("then those whose id never came back, the oldest first, however old the others are", arguments: [3, 5, 40])
    func freshNext(cap: Int) throws {
        let memory = try MemoryFixture(maximumSessions: cap)
        let ids = try memory.begin(cap)
        // Every way of coming back counts.
        _ = memory.provider.read(ids[0])
        if cap > 3 {
            _ = memory.provider.touch(ids[1])
            try memory.set(1, for: SessionKey("n"), in: ids[2])
        }
        let came = cap > 3 ? 3 : 1
        for round in 1...(cap - came) {
            memory.time.advance(by: .seconds(1))
            try memory.begin()
            #expect(left(ids, in: memory) == Array(0..<came) + Array((came + round)..<cap))
        }
    }

    @Test("then anonymous ones, exactly the least recently seen of all", arguments: [3, 5, 40, 200])
    func leastRecentlySeen(cap: Int) throws {
        let memory = try MemoryFixture(maximumSessions: cap)
        var seen: [(SessionID, Int)] = []
        for round in 0..<cap {
            memory.time.advance(by: .seconds(1))
            // Timeouts of all lengths: what counts is the last visit.
            let id = try memory.begin(
                idle: .seconds(Int.random(in: 1_000...90_000)), absolute: .seconds(Int.random(in: 10_000...90_000)))
            _ = memory.provider.touch(id)
            seen.append((id, round))
        }
        for round in 0..<cap {
            let chosen = Int.random(in: 0..<cap)
            memory.time.advance(by: .milliseconds(10))
            _ = memory.provider.touch(seen[chosen].0)
            seen[chosen].1 = cap + round
        }
        var expected = seen.sorted { $0.1 < $1.1 }.map(\.0)
        for _ in 0..<cap {
            let new = try memory.begin()
            expected.removeFirst()
            #expect(left(expected, in: memory).count == expected.count)
            // The new one would go first of all next time.
            _ = memory.provider.touch(new)
        }
    }

    @Test("and refuses an anonymous one when only users' sessions are left, a log-in when nobody has two")
    func refuses() throws {
        let memory = try MemoryFixture(maximumSessions: 3)
        try memory.begin("ada")
        let anonymous = try memory.begin()
        try memory.begin("cem")
        try memory.begin("ben")
        #expect(!isLive(anonymous, in: memory))
        for user: ByteString? in [nil, "ben", "eve"] {
            guard case .full = try memory.create(user) else {
                Issue.record("a session took a user's place")
                return
            }
        }
        #expect(memory.provider.statistics().refused == 3)
        #expect(memory.provider.count() == 3 && memory.provider.store.users.count == 3)
        memory.time.advance(by: .seconds(1_000))
        try memory.begin()
    }

    @Test("protects a session from its log-in on, and no more from its log-out on")
    func logInProtects() throws {
        let memory = try MemoryFixture(maximumSessions: 3)
        let ids = try memory.begin(3)
        try memory.logIn(ids[0], as: "ada")
        // Each later than the one before: of equal ones any may go.
        _ = try memory.begin(10)
        #expect(left(ids, in: memory) == [0])
        try memory.set(nil, for: .user, in: ids[0])
        let others = try (0..<2).map { _ in
            memory.time.advance(by: .seconds(1))
            let id = try memory.begin()
            _ = memory.provider.touch(id)
            return id
        }
        try memory.begin()
        #expect(left(ids, in: memory).isEmpty && left(others, in: memory) == [0, 1])
    }

    @Test("keeps the bytes under their cap, the ids that rotations replaced included, which go first")
    func bytes() throws {
        let memory = try MemoryFixture(maximumBytes: 100_000)
        var ids = try memory.begin(50)
        for position in ids.indices {
            let new = SessionID.random()
            _ = memory.provider.rotate(ids[position], to: new, grace: .zero)
            ids[position] = new
        }
        #expect(memory.provider.store.slotCount == 100)
        while memory.provider.store.slotCount > memory.provider.count() {
            #expect(memory.provider.statistics().evicted == 0)
            ids.append(try memory.begin())
            #expect(try #require(memory.provider.statistics().bytes) <= 100_000)
        }
        let counts = memory.provider.statistics()
        for _ in 0..<50 { try memory.begin() }
        let after = memory.provider.statistics()
        #expect(try after.evicted == #require(counts.sessions) + 50 - #require(after.sessions))
        #expect((98_000...100_000).contains(try #require(after.bytes)))
        // The fifty that came back with their rotation are there yet.
        #expect(left(Array(ids[0..<50]), in: memory).count == 50)
    }

    @Test("refuses a session larger than the store, and evicts nobody for it")
    func tooLarge() throws {
        let memory = try MemoryFixture(maximumBytes: 100_000)
        let ids = try memory.begin(50)
        guard case .full = try memory.create(size: 200_000) else {
            Issue.record("a session larger than the store was taken")
            return
        }
        #expect(left(ids, in: memory).count == 50)
    }

    @Test("makes room for a session that grows, never at its own cost, and else leaves it as it was")
    func growth() throws {
        let memory = try MemoryFixture(maximumBytes: 20_000)
        let growing = try memory.begin()
        let user = try memory.begin("ada", size: 4_000)
        let others = try memory.begin(20)
        let outcome = try memory.set(.string(String(repeating: "y", count: 14_000)), for: SessionKey("y"), in: growing)
        guard case .committed = outcome else {
            Issue.record("no room was made")
            return
        }
        #expect(left(others, in: memory).count < 20 && isLive(growing, in: memory) && isLive(user, in: memory))
        let before = memory.provider.statistics()
        let error = #expect(throws: SessionStoreError.self) {
            try memory.set(.string(String(repeating: "z", count: 4_000)), for: SessionKey("z"), in: growing)
        }
        #expect(error?.reason == .full)
        let record = try #require(memory.provider.read(growing))
        #expect(record.values["z"] == nil && record.values["y"] != nil && record.version == 1)
        #expect(isLive(user, in: memory))
        let after = memory.provider.statistics()
        #expect(after.refused == 1)
        // What does not grow needs no room.
        try memory.set(nil, for: SessionKey("y"), in: growing)
        #expect(try #require(memory.provider.statistics().bytes) < #require(before.bytes) - 13_000)
    }

    @Test("counts the bytes of every change, log-in and end exactly")
    func exactBytes() throws {
        let memory = try MemoryFixture()
        func check() throws {
            let slots = memory.provider.store.shards.map { shard in
                shard.withLock { shard in
                    MemoryKind.allCases.reduce(0) { sum, kind in
                        (0..<shard.orders.count(kind)).reduce(sum) {
                            $0 + shard.pool.slot(shard.orders.number(kind, at: $1)).pointee.cost
                        }
                    }
                }
            }
            #expect(memory.provider.statistics().bytes == slots.reduce(0, +))
        }
        var ids: [SessionID] = []
        for round in 0..<2_000 {
            memory.time.advance(by: .seconds(1))
            switch Int.random(in: 0..<8) {
            case 0...2:
                ids.append(try memory.begin(size: .random(in: 0...300), idle: .seconds(Int.random(in: 1...900))))
            case 3: _ = try ids.randomElement().map { try memory.logIn($0, as: "user\(round % 7) with a long name") }
            case 4:
                _ = try ids.randomElement().map {
                    try memory.set(.string(String(repeating: "y", count: round % 500)), for: SessionKey("y"), in: $0)
                }
            case 5: _ = try ids.randomElement().map { try memory.set(nil, for: .user, in: $0) }
            case 6:
                let new = SessionID.random()
                if let id = ids.randomElement() {
                    _ = memory.provider.rotate(id, to: new, grace: .seconds(round % 3))
                    ids.append(new)
                }
            default: ids.randomElement().map { _ = memory.provider.destroy($0) }
            }
            if round % 20 == 0 {
                _ = memory.provider.collect(limit: 50)
                try check()
            }
        }
        memory.time.advance(by: .seconds(10_000))
        _ = memory.provider.collect(limit: .max)
        #expect(memory.provider.statistics().bytes == 0 && memory.provider.store.slotCount == 0)
        #expect(memory.provider.store.ledger.replaced.load(ordering: .relaxed) == 0)
    }

    @Test("bears a flood of new sessions from many threads: within the cap, and the visitors stay")
    func flood() async throws {
        let memory = try MemoryFixture(maximumSessions: 2_000)
        let user = try memory.begin("ada")
        let visitors = try memory.begin(500)
        for id in visitors { _ = memory.provider.read(id) }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<5_000 {
                        guard case .created = try? memory.create() else {
                            Issue.record("a new session was refused")
                            return
                        }
                        if memory.provider.count() > 2_004 { Issue.record("the cap was passed") }
                    }
                }
            }
        }
        #expect(memory.provider.count() <= 2_000)
        #expect(isLive(user, in: memory))
        #expect(left(visitors, in: memory).count == 500)
        #expect(try #require(memory.provider.statistics().evicted) >= 20_501 - 2_000)
    }
}
