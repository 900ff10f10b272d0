import Foundation
import Sessions
import SessionsTesting
import TestSupport
import Testing

@testable import MemorySessions

@Suite("Sessions after a restart")
struct SnapshotRestoreTests {
    private let fixture: SnapshotFixture

    init() throws {
        fixture = try SnapshotFixture()
    }

    /// The next provider, after an orderly end of this one.
    private func restart(_ provider: MemoryProvider) throws -> MemoryProvider {
        provider.close()
        return try fixture.start()
    }

    @Test("keys and users of any bytes are as they were, and names that look alike are two")
    func names() throws {
        let names: [ByteString] = [
            "jos\u{e9}", "jose\u{301}", ByteString(bytes: [0x6a, 0x6f, 0x73, 0xe9]), "jos\u{fffd}",
        ]
        let first = try fixture.start()
        let ids = try names.map { user in
            let id = try first.begin(user, idle: .seconds(100), absolute: .seconds(1_000))
            var patch = SessionPatch()
            for name in names { try patch.set(.object([name: .name(name)]), for: SessionKey(name)) }
            _ = try first.commit(patch, to: id, expecting: nil)
            return id
        }
        let second = try restart(first)
        for (id, user) in zip(ids, names) {
            let record = try #require(second.read(id))
            #expect(record.values.user == user)
            for name in names { #expect(record.values[name] == .object([name: .name(name)])) }
            #expect(second.sessions(of: user, current: id, limit: .max).sessions.map(\.isCurrent) == [true])
        }
    }

    @Test("values, version, times and user are as they were")
    func roundTrip() throws {
        let first = try fixture.start()
        let id = try first.begin("ada", idle: .seconds(100), absolute: .seconds(1_000))
        fixture.time.advance(by: .seconds(30))
        var patch = SessionPatch()
        try patch.set(.double(1.5), for: SessionKey("more"))
        patch.touches = true
        _ = try first.commit(patch, to: id, expecting: nil)
        fixture.time.advance(by: .seconds(10))
        first.close()
        fixture.time.advance(by: .seconds(20))
        let second = try fixture.start()
        let record = try #require(second.read(id))
        #expect(record.values["text"] == .string("x") && record.values["more"] == .double(1.5))
        #expect(record.values.user == "ada")
        #expect(record.version == 1)
        #expect(record.successor == nil)
        #expect(record.age == .seconds(60) && record.idle == .seconds(30))
        #expect(record.idleRemaining == .seconds(70) && record.absoluteRemaining == .seconds(940))
        #expect(second.count() == 1)
        #expect(fixture.log.contains("info", "restored 1 sessions"))
    }

    @Test("a session that expired while the process was down is not restored")
    func expired() throws {
        let first = try fixture.start()
        let short = try first.begin(idle: .seconds(10))
        let long = try first.begin(idle: .seconds(100))
        first.close()
        fixture.time.advance(by: .seconds(10))
        let second = try fixture.start()
        #expect(second.read(short) == nil)
        #expect(second.read(long) != nil)
        #expect(second.count() == 1)
        #expect(fixture.log.contains("expired 1"))
    }

    @Test("every call finds a session whose id is known by its digest only")
    func everyCall() throws {
        let first = try fixture.start()
        let ids = try (0..<7).map { _ in try first.begin("ada") }
        let second = try restart(first)
        #expect(second.read(ids[0]) != nil)
        guard case .touched = second.touch(ids[1]) else { throw TestFailure(description: "not touched") }
        var patch = SessionPatch()
        try patch.set(.int(1), for: SessionKey("a"))
        guard case .committed = try second.commit(patch, to: ids[2], expecting: 0) else {
            throw TestFailure(description: "not committed")
        }
        #expect(second.destroy(ids[3]))
        #expect(second.read(ids[3]) == nil)
        let next = SessionID.random()
        guard case .rotated = second.rotate(ids[4], to: next, grace: .zero) else {
            throw TestFailure(description: "not rotated")
        }
        #expect(second.read(next) != nil && second.read(ids[4]) == nil)
        let draft = SessionDraft(values: SessionValues(), idleTimeout: .seconds(1), absoluteTimeout: .seconds(1))
        guard case .exists = second.create(ids[5], draft) else { throw TestFailure(description: "created") }
        guard case .taken = second.rotate(next, to: ids[6], grace: .zero) else {
            throw TestFailure(description: "not taken")
        }
        #expect(second.sessions(of: "ada", current: nil, limit: .max).sessions.count == 6)
        #expect(second.count() == 6)
        #expect(second.store.users.count == 6)
    }

    @Test("a user's sessions are listed, marked, spared and ended before their visitors came back")
    func users() throws {
        let first = try fixture.start()
        let ids = try (0..<4).map { _ in try first.begin("ada") }
        try first.begin("bob")
        let references = Set(first.sessions(of: "ada", current: nil, limit: .max).sessions.map(\.reference))
        let second = try restart(first)
        let list = second.sessions(of: "ada", current: ids[1], limit: .max).sessions
        #expect(Set(list.map(\.reference)) == references)
        #expect(list.filter(\.isCurrent).count == 1)
        #expect(second.destroy(try #require(list.first { !$0.isCurrent }).reference, of: "ada"))
        let spared = try #require(ids.first { $0 != ids[1] && second.read($0) != nil })
        #expect(second.destroySessions(of: "ada", except: spared, keeping: 0) == 2)
        #expect(second.read(spared) != nil && second.read(ids[1]) == nil)
        #expect(second.sessions(of: "bob", current: nil, limit: .max).sessions.count == 1)
    }

    @Test("everything goes on over a second restart, whether or not the visitor came back")
    func twice() throws {
        let first = try fixture.start()
        let (seen, unseen, ended) = (try first.begin("ada"), try first.begin("ada"), try first.begin())
        let second = try restart(first)
        #expect(second.read(seen) != nil)
        #expect(second.destroy(ended))
        let third = try restart(second)
        #expect(third.read(seen) != nil && third.read(unseen) != nil && third.read(ended) == nil)
        #expect(third.sessions(of: "ada", current: nil, limit: .max).sessions.count == 2)
        #expect(third.statistics().sessions == 2)
        #expect(third.destroySessions(of: "ada", except: nil, keeping: 0) == 2)
        #expect(third.statistics().bytes == 0)
        #expect(!third.store.restored.areInUse)
        #expect(third.store.users.count == 0)
    }

    @Test("the file names no id, and what it has in its place opens nothing")
    func digests() throws {
        let first = try fixture.start()
        let ids = try (0..<50).map { _ in try first.begin() }
        first.close()
        let file = Data(fixture.bytes)
        let second = try fixture.start()
        for id in ids {
            #expect(file.range(of: Data(id.bytes)) == nil && file.range(of: Data(id.encoded.utf8)) == nil)
            let digest = SessionID(words: IDDigest.of(id.words))
            #expect(file.range(of: Data(digest.bytes)) != nil)
            #expect(second.read(digest) == nil)
            #expect(!second.destroy(digest))
            #expect(second.read(id) != nil)
        }
    }

    @Test("replaced ids are not restored, their sessions are")
    func replaced() throws {
        let first = try fixture.start()
        let (old, new) = (try first.begin(), SessionID.random())
        _ = first.rotate(old, to: new, grace: .seconds(10))
        let second = try restart(first)
        #expect(second.read(old) == nil && second.read(new) != nil)
        #expect(second.count() == 1)
    }

    @Test("when there is no room for all, users' sessions come first, then those last seen")
    func caps() throws {
        let first = try fixture.start()
        var ids: (users: [SessionID], others: [SessionID]) = ([], [])
        for _ in 0..<5 {
            fixture.time.advance(by: .seconds(1))
            ids.others.append(try first.begin())
            ids.users.append(try first.begin("ada"))
        }
        first.close()
        let second = try fixture.start(maximumSessions: 7)
        #expect(second.count() == 7)
        #expect(ids.users.allSatisfy { second.read($0) != nil })
        #expect(ids.others.filter { second.read($0) != nil }.count == 2)
        #expect(fixture.log.contains("restored 7", "without room 3"))
    }

    @Test("restored sessions are no fresh ones: those that begin later go first when room is needed")
    func kinds() throws {
        let first = try fixture.start()
        let old = try first.begin()
        first.close()
        let second = try fixture.start(maximumSessions: 2)
        fixture.time.advance(by: .seconds(1))
        let fresh = try second.begin()
        try second.begin()
        #expect(second.read(old) != nil && second.read(fresh) == nil)
    }

    @Test("an expired session that was never claimed is collected")
    func collection() throws {
        let first = try fixture.start()
        let ids = try (0..<100).map { _ in try first.begin("ada") }
        let second = try restart(first)
        fixture.time.advance(by: .seconds(200))
        #expect(second.read(ids[0]) == nil)
        #expect(second.collect(limit: 1_000).removed == 100)
        #expect(second.count() == 0 && !second.store.restored.areInUse && second.store.users.count == 0)
    }

    @Test("a restart of the machine is measured by the wall clock")
    func reboot() throws {
        let first = try fixture.start(clock: .boot)
        let id = try first.begin(idle: .seconds(3_600), absolute: .seconds(9_000))
        first.close()
        var bytes = fixture.bytes
        var header = try #require(bytes.withUnsafeBytes { SnapshotHeader($0) })
        header.time.bootID = BootID(1, 2)
        header.time.wall -= 1_000 * 1_000_000_000
        var head: [UInt8] = []
        header.append(to: &head)
        header.append(to: &head)
        bytes.replaceSubrange(..<head.count, with: head)
        try fixture.write(bytes)
        let second = try fixture.start(clock: .boot)
        let record = try #require(second.read(id))
        #expect(record.idle >= .seconds(1_000) && record.idle < .seconds(1_060))
        #expect(record.remaining <= .seconds(2_600))
    }

    @Test("parallel visitors of one restored session all find it")
    func parallelClaims() throws {
        let first = try fixture.start()
        let ids = try (0..<400).map { _ in try first.begin("ada") }
        let second = try restart(first)
        let missed = LogLines()
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for id in ids where second.read(id) == nil {
                missed.add("missed")
            }
        }
        #expect(missed.all.isEmpty)
        #expect(second.count() == 400 && !second.store.restored.areInUse)
        #expect(second.sessions(of: "ada", current: ids[7], limit: .max).sessions.filter(\.isCurrent).count == 1)
    }
}
