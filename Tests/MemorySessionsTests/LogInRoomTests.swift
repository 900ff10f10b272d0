import GalletaPlatform
import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("Room for a log-in in the memory provider")
struct LogInRoomTests {
    /// What the rule says, told by a search of everything.
    private struct Model {
        struct Held {
            var id: SessionID
            var lastSeen: Int
        }

        var held: [ByteString: [Held]] = [:]
        /// The moment since which a user has held so many.
        var since: [ByteString: Int] = [:]
        var moment = 0

        mutating func tick() -> Int {
            moment += 1
            return moment
        }

        /// Who loses which session.
        func loser() -> (user: ByteString, id: SessionID)? {
            let most = held.values.map(\.count).max() ?? 0
            guard most > 1 else { return nil }
            let users = held.filter { $0.value.count == most }.keys
            guard let user = users.min(by: { since[$0] ?? 0 < since[$1] ?? 0 }),
                let oldest = held[user]?.min(by: { $0.lastSeen < $1.lastSeen })
            else { return nil }
            return (user, oldest.id)
        }

        mutating func add(_ id: SessionID, _ user: ByteString) {
            let now = tick()
            held[user, default: []].append(Held(id: id, lastSeen: now))
            since[user] = now
        }

        mutating func remove(_ id: SessionID, _ user: ByteString) {
            held[user]?.removeAll { $0.id == id }
            if held[user]?.isEmpty ?? false { held[user] = nil }
            since[user] = tick()
        }

        mutating func visit(_ id: SessionID, _ user: ByteString) {
            guard let position = held[user]?.firstIndex(where: { $0.id == id }) else { return }
            let now = tick()
            held[user]?[position].lastSeen = now
        }

        var ids: Set<SessionID> { Set(held.values.joined().map(\.id)) }

        func random() -> (user: ByteString, id: SessionID)? {
            held.randomElement().flatMap { user, held in held.randomElement().map { (user, $0.id) } }
        }
    }

    private func live(_ memory: MemoryFixture) -> Set<SessionID> {
        Set(
            memory.provider.store.shards.flatMap { shard in
                shard.withLock { shard in
                    (0..<shard.orders.count(.user)).map {
                        SessionID(words: shard.pool.slot(shard.orders.number(.user, at: $0)).pointee.id)
                    }
                }
            })
    }

    @Test("is made by the user who holds most, of several by the one who has held so many for the longest time")
    func model() throws {
        let memory = try MemoryFixture(maximumSessions: 40)
        var model = Model()
        for round in 0..<3_000 {
            memory.time.advance(by: .seconds(1))
            // Few users at times, so that some have many; many at others, so that several have equally many.
            let user: ByteString = "user \(Int.random(in: 0..<(round / 500 % 2 == 0 ? 5 : 60)))"
            switch Int.random(in: 0..<10) {
            case 0...5:
                let loser = model.ids.count == 40 ? model.loser() : nil
                let id = SessionID.random()
                let outcome = try memory.create(user, id: id, idle: .seconds(90_000))
                if let loser { model.remove(loser.id, loser.user) }
                if case .created = outcome { model.add(id, user) } else { #expect(loser == nil) }
            case 6...7:
                guard let (user, id) = model.random() else { continue }
                _ = memory.provider.touch(id)
                model.visit(id, user)
            case 8:
                guard let (user, id) = model.random() else { continue }
                let new = SessionID.random()
                _ = memory.provider.rotate(id, to: new, grace: .zero)
                guard let position = model.held[user]?.firstIndex(where: { $0.id == id }) else { continue }
                model.held[user]?[position].id = new
            default:
                guard let (user, id) = model.random() else { continue }
                #expect(memory.provider.destroy(id))
                model.remove(id, user)
            }
            guard live(memory) == model.ids else {
                Issue.record("another session than the rule's made room, in round \(round)")
                return
            }
        }
    }

    @Test("is made within the cap of bytes alike, for a new session and for one that is there")
    func bytes() throws {
        let memory = try MemoryFixture(maximumBytes: 20_000)
        let ben = try memory.begin("ben")
        memory.time.advance(by: .seconds(1))
        let anonymous = try memory.begin(size: 100)
        _ = memory.provider.touch(anonymous)
        var ids: [SessionID] = []
        while memory.provider.statistics().evicted == 0 {
            memory.time.advance(by: .seconds(1))
            ids.append(try memory.begin("ada"))
        }
        // The anonymous one went first, then the oldest of ada's for ada's own.
        #expect(memory.provider.read(anonymous) == nil && memory.provider.read(ids[0]) != nil)
        while memory.provider.read(ids[0]) != nil {
            memory.time.advance(by: .seconds(1))
            ids.append(try memory.begin("ada"))
        }
        guard case .full = try memory.create(size: 2_000) else {
            Issue.record("an anonymous session took a user's place")
            return
        }
        let evicted = try #require(memory.provider.statistics().evicted)
        let new = try memory.begin("eve", size: 2_000)
        #expect(try #require(memory.provider.statistics().evicted) > evicted)
        #expect(memory.provider.read(new) != nil && memory.provider.read(ben) != nil)
        #expect(try #require(memory.provider.statistics().bytes) <= 20_000)
        // A log-in that grows a session of the one who holds most takes all but that one.
        let own = try #require(ids.first { memory.provider.read($0) != nil })
        var patch = SessionPatch()
        try patch.set("ada", for: .user)
        try patch.set(.string(String(repeating: "x", count: 3_000)), for: SessionKey("x"))
        guard case .committed = try memory.provider.commit(patch, to: own, expecting: nil) else {
            Issue.record("a log-in was refused")
            return
        }
        #expect(memory.provider.read(own) != nil && memory.provider.read(ben) != nil)
        // Without a log-in nothing is taken from anybody.
        #expect(throws: SessionStoreError.self) {
            try memory.set(.string(String(repeating: "y", count: 9_000)), for: SessionKey("y"), in: own)
        }
    }

    @Test("is made beside visits, rotations and log-outs from many threads, and nobody loses the only session")
    func parallel() async throws {
        let memory = try MemoryFixture(maximumSessions: 64)
        let single = try (0..<8).map { try memory.begin("single \($0)") }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<1_000 {
                        let id = SessionID.random()
                        guard case .created = try? memory.create("user \(round % 5)", id: id) else {
                            Issue.record("a log-in was refused")
                            return
                        }
                        switch (round + task) % 4 {
                        case 0: _ = memory.provider.touch(id)
                        case 1: _ = memory.provider.rotate(id, to: .random(), grace: .zero)
                        case 2: _ = memory.provider.destroy(id)
                        default: _ = memory.provider.destroySessions(of: "user 0", except: id, keeping: 3)
                        }
                    }
                }
            }
        }
        #expect(memory.provider.count() <= 64)
        #expect(single.allSatisfy { memory.provider.read($0) != nil })
        for user: ByteString in (0..<5).map({ "user \($0)" }) {
            _ = memory.provider.destroySessions(of: user, except: nil, keeping: 0)
        }
        #expect(memory.provider.store.users.count == 8 && memory.provider.store.users.largestHolder == nil)
    }
}
