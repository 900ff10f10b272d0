import Dispatch
import Sessions
import SessionsTesting
import Testing

@testable import MemorySessions

@Suite("Users in the memory provider")
struct MemoryUsersTests {
    let memory: MemoryFixture
    var provider: MemoryProvider { memory.provider }

    init() throws {
        memory = try MemoryFixture()
    }

    @Test("lists a user's sessions, the one last seen first, and marks the caller's")
    func lists() throws {
        let first = try memory.begin("ada")
        memory.time.advance(by: .seconds(1))
        let second = try memory.begin("ada")
        memory.time.advance(by: .seconds(1))
        try memory.begin("ben")
        try memory.begin()
        #expect(provider.sessions(of: "ada", current: second, limit: .max).sessions.map(\.isCurrent) == [true, false])
        _ = provider.touch(first)
        let list = provider.sessions(of: "ada", current: second, limit: .max).sessions
        #expect(list.map(\.isCurrent) == [false, true])
        #expect(list.map(\.idle) == [.zero, .seconds(1)])
        #expect(list.map(\.age) == [.seconds(2), .seconds(1)])
        #expect(provider.sessions(of: "ben", current: second, limit: .max).sessions.map(\.isCurrent) == [false])
        #expect(provider.sessions(of: "cem", current: nil, limit: .max).sessions.isEmpty)
        #expect(provider.sessions(of: "", current: nil, limit: .max).sessions.isEmpty)
    }

    @Test("lists a few of 20,000 sessions, and keeps a few, in the order of visits")
    func many() throws {
        let ids = try (0..<20_000).map { number in
            memory.time.advance(by: .milliseconds(1))
            return try memory.begin("ada")
        }
        for id in ids[100..<110] {
            memory.time.advance(by: .milliseconds(1))
            _ = provider.touch(id)
        }
        let list = provider.sessions(of: "ada", current: ids[7], limit: 5)
        #expect(list.total == 20_000 && list.sessions.map(\.isCurrent) == [false, false, false, false, true])
        #expect(list.sessions.map(\.age) == [109, 108, 107, 106, 7].map { .milliseconds(20_009 - $0) })
        #expect(provider.destroySessions(of: "ada", except: ids[7], keeping: 12) == 19_987)
        let left = (ids[100..<110] + ids[19_998...] + [ids[7]]).allSatisfy { provider.read($0) != nil }
        #expect(left && provider.count() == 13)
    }

    @Test("names a session that does not change with its id, and is found through an id in its grace")
    func followsRotation() throws {
        for grace in [Duration.zero, .seconds(10)] {
            let user: ByteString = "ada\(grace)"
            let ids = [try memory.begin(user)] + (0..<2).map { _ in SessionID.random() }
            let before = memory.references(user)
            for step in 0..<2 { _ = provider.rotate(ids[step], to: ids[step + 1], grace: grace) }
            #expect(memory.references(user) == before)
            let asked = grace > .zero ? ids[0] : ids[2]
            #expect(provider.sessions(of: user, current: asked, limit: .max).sessions.map(\.isCurrent) == [true])
            #expect(provider.destroySessions(of: user, except: asked, keeping: 0) == 0)
            #expect(provider.destroy(before[0], of: user))
            #expect(provider.read(ids[2]) == nil && provider.read(ids[0]) == nil)
            #expect(memory.references(user).isEmpty)
        }
    }

    @Test("follows a session from anonymous to a user, to another one, and back")
    func changes() throws {
        let id = try memory.begin()
        try memory.logIn(id, as: "ada")
        #expect(memory.references("ada").count == 1)
        try memory.logIn(id, as: "a user with a name that is longer than fifteen bytes")
        #expect(memory.references("ada").isEmpty)
        #expect(memory.references("a user with a name that is longer than fifteen bytes").count == 1)
        try memory.set(1, for: SessionKey("n"), in: id)
        #expect(memory.references("a user with a name that is longer than fifteen bytes").count == 1)
        try memory.set(nil, for: .user, in: id)
        #expect(provider.store.users.count == 0)
        #expect(provider.read(id)?.values["n"] == 1)
    }

    @Test("gives a session another name with each log-in, the same user's too")
    func newSerial() throws {
        let id = try memory.begin("ada")
        let before = memory.references("ada")
        try memory.logIn(id, as: "ada")
        let after = memory.references("ada")
        #expect(after.count == 1 && after != before)
        #expect(!provider.destroy(before[0], of: "ada"))
        #expect(provider.destroy(after[0], of: "ada"))
        #expect(!provider.destroy(after[0], of: "ada"))
    }

    @Test("removes a session by its reference only for its own user, and by no other text")
    func foreignReference() throws {
        let id = try memory.begin("ada")
        try memory.begin("ben")
        let reference = memory.references("ada")[0]
        #expect(!provider.destroy(reference, of: "ben"))
        for text in ["", "x", "+" + reference.rawValue.dropFirst(), reference.rawValue + "0", "0"] {
            #expect(!provider.destroy(SessionReference(rawValue: text), of: "ada"))
        }
        #expect(reference.rawValue == reference.rawValue.lowercased() && reference.rawValue.count == 16)
        #expect(provider.read(id) != nil)
    }

    @Test("removes all of a user's sessions but one, and nobody else's")
    func removesAll() throws {
        let ids = try (0..<300).map { _ in try memory.begin("ada") }
        let other = try memory.begin("ben")
        let anonymous = try memory.begin()
        let new = SessionID.random()
        _ = provider.rotate(ids[7], to: new, grace: .seconds(10))
        #expect(provider.destroySessions(of: "ada", except: ids[7], keeping: 0) == 299)
        #expect(provider.read(new) != nil && provider.read(other) != nil && provider.read(anonymous) != nil)
        // Neither the user's nor one that lives: nothing ends beside it.
        #expect(provider.destroySessions(of: "ada", except: other, keeping: 0) == 0)
        #expect(provider.destroySessions(of: "ben", except: ids[0], keeping: 0) == 0)
        #expect(provider.destroySessions(of: "ada", except: nil, keeping: 0) == 1)
        #expect(provider.destroySessions(of: "ben", except: nil, keeping: 0) == 1)
        #expect(provider.count() == 1)
    }

    @Test("neither lists, counts nor revokes a session that has expired")
    func expired() throws {
        try memory.begin("ada", idle: .seconds(10))
        let reference = memory.references("ada")[0]
        memory.time.advance(by: .seconds(10))
        #expect(memory.references("ada").isEmpty)
        #expect(!provider.destroy(reference, of: "ada"))
        try memory.begin("ada", idle: .seconds(10))
        memory.time.advance(by: .seconds(10))
        #expect(provider.destroySessions(of: "ada", except: nil, keeping: 0) == 0)
        #expect(provider.store.users.count == 0)
    }

    @Test("keeps nothing of a session that goes, in whatever way")
    func leaksNothing() throws {
        let ways: [(SessionID) throws -> Void] = [
            { #expect(provider.destroy($0)) },
            { _ in
                memory.time.advance(by: .seconds(10))
                #expect(provider.collect(limit: 10).removed == 1)
            },
            { id in
                memory.time.advance(by: .seconds(10))
                try memory.begin(id: id, idle: .seconds(10))
                #expect(provider.destroy(id))
            },
            { id in
                try memory.set(nil, for: SessionKey("text"), in: id)
                guard case .emptied = try memory.set(nil, for: .user, in: id) else {
                    Issue.record("not emptied")
                    return
                }
            },
            { id in
                memory.time.advance(by: .seconds(5))
                let over = SessionLifetime(idleTimeout: .seconds(5), absoluteTimeout: .seconds(50))
                try memory.set(1, for: SessionKey("n"), in: id, lifetime: over)
            },
            { id in #expect(provider.destroySessions(of: "ada", except: nil, keeping: 0) == 1) },
        ]
        for way in ways {
            try way(try memory.begin("ada", idle: .seconds(10)))
            #expect(provider.store.users.count == 0)
            #expect(provider.store.slotCount == 0)
            let counts = provider.statistics()
            #expect(counts.sessions == 0 && counts.bytes == 0)
        }
    }

    @Test("loses and leaks nothing beside log-ins, rotations and removals from many threads")
    func concurrency() async throws {
        let users: [ByteString] = (0..<4).map { "user\($0)" }
        let survivors = try await withThrowingTaskGroup(of: [SessionID].self) { group in
            for task in 0..<8 {
                group.addTask {
                    var kept: [SessionID] = []
                    for round in 0..<150 {
                        var id = try memory.begin()
                        let user = users[(task + round) % 4]
                        try memory.logIn(id, as: user)
                        for _ in 0..<3 {
                            let new = SessionID.random()
                            if case .rotated = provider.rotate(id, to: new, grace: .seconds(round % 2)) { id = new }
                        }
                        switch round % 5 {
                        case 0: _ = provider.destroySessions(of: user, except: id, keeping: 0)
                        case 1:
                            for one in provider.sessions(of: user, current: id, limit: .max).sessions
                            where !one.isCurrent {
                                _ = provider.destroy(one.reference, of: user)
                            }
                        case 2: _ = provider.destroy(id)
                        default: kept.append(id)
                        }
                    }
                    return kept
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let live = survivors.filter { provider.read($0) != nil }
        #expect(users.reduce(0) { $0 + memory.references($1).count } == provider.store.users.count)
        #expect(provider.store.users.count == provider.count())
        #expect(live.count <= provider.count())
        for user in users { _ = provider.destroySessions(of: user, except: nil, keeping: 0) }
        #expect(provider.store.users.count == 0)
        #expect(provider.count() == 0)
        memory.time.advance(by: .seconds(3_600))
        _ = provider.collect(limit: .max)
        #expect(provider.statistics().bytes == 0)
    }

    @Test("removes every session that was bound when it began, however often they rotate meanwhile")
    func removesRotating() throws {
        for _ in 0..<20 {
            let ids = try (0..<3).map { _ in try memory.begin("ada") }
            let group = DispatchGroup()
            for first in ids {
                // Threads of their own: tasks would keep the pool's few threads from the removal.
                DispatchQueue(label: "rotations").async(group: group) {
                    var id = first
                    while true {
                        let new = SessionID.random()
                        guard case .rotated = provider.rotate(id, to: new, grace: .zero) else { return }
                        id = new
                    }
                }
            }
            #expect(provider.destroySessions(of: "ada", except: nil, keeping: 0) == 3)
            #expect(group.wait(timeout: .now() + 60) == .success)
            #expect(provider.count() == 0)
        }
    }

    @Test("spares a log-in that comes while all of the user's sessions are removed")
    func sparesNewLogIn() async throws {
        for _ in 0..<50 {
            let id = try memory.begin("ada")
            let old = try memory.begin("ada")
            async let removed = provider.destroySessions(of: "ada", except: nil, keeping: 0)
            async let loggedIn: Bool = {
                guard case .committed = try memory.set("ada", for: .user, in: id) else { return false }
                return true
            }()
            let (count, isIn) = try await (removed, loggedIn)
            #expect(provider.read(old) == nil)
            // The log-in was before the call, which removed it, or else it stands.
            #expect(provider.read(id) != nil ? isIn && count == 1 : count == 2)
            _ = provider.destroy(id)
        }
    }
}
