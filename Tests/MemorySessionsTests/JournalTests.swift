import Foundation
import Sessions
import SessionsTesting
import TestSupport
import Testing

@testable import MemorySessions

@Suite("The journal", .serialized)
struct JournalTests {
    private let fixture: SnapshotFixture

    init() throws {
        fixture = try SnapshotFixture()
    }

    private func settle(_ provider: MemoryProvider) throws {
        try provider.settle(try #require(provider.journalEnd))
    }

    @Test("no log-in, log-out nor rotation that was waited for is undone by a crash")
    func crash() throws {
        let first = try fixture.start()
        let (stays, leaves, moves, saved) = (
            try first.begin("ada"), try first.begin("ada"), try first.begin("ada"), try first.begin()
        )
        #expect(first.keeper?.writeNow() == 4)
        let (late, new, listed) = (try first.begin("eve"), SessionID.random(), try first.begin("bob"))
        #expect(first.destroy(leaves) && first.destroy(saved))
        guard case .rotated = first.rotate(moves, to: new, grace: .zero) else {
            Issue.record("not rotated")
            return
        }
        #expect(first.destroySessions(of: "bob", except: nil, keeping: 0) == 1)
        try settle(first)
        first.crash()
        let second = try fixture.start()
        for id in [stays, late, new] { #expect(second.read(id) != nil) }
        for id in [leaves, moves, saved, listed] { #expect(second.read(id) == nil) }
        #expect(second.sessions(of: "ada", current: nil, limit: 9).total == 2)
        #expect(second.sessions(of: "eve", current: nil, limit: 9).total == 1)
        // It has begun a journal of its own, on a state file that has all that.
        try #require(second.destroy(late))
        try settle(second)
        second.crash()
        let third = try fixture.start()
        #expect(third.read(late) == nil && third.read(stays) != nil)
        third.close()
        #expect(try fixture.names == ["state", "state.lock"])
    }

    @Test("a log-in of a visitor with a session has what was in it")
    func logIn() throws {
        let first = try fixture.start()
        let id = try first.begin(text: "cart")
        var patch = SessionPatch()
        try patch.set(.name("ada"), for: .user)
        _ = try first.commit(patch, to: id, expecting: nil)
        try settle(first)
        first.crash()
        let record = try #require(try fixture.start().read(id))
        #expect(record.values.user == "ada" && record.values[SessionKey("text")] == .string("cart"))
    }

    @Test("a log-in for which another session has gone is there after a crash, full as the store is")
    func full() throws {
        let first = try fixture.start(maximumSessions: 3)
        for _ in 0..<3 { try first.begin("ada") }
        #expect(first.keeper?.writeNow() == 3)
        let id = SessionID.random()
        let values = try SessionValues([(.user, .name("bob"))])
        let draft = SessionDraft(values: values, idleTimeout: .seconds(100), absoluteTimeout: .seconds(1_000))
        guard case .created = first.create(id, draft) else {
            Issue.record("no room")
            return
        }
        try settle(first)
        first.crash()
        let second = try fixture.start(maximumSessions: 3)
        #expect(second.read(id)?.values.user == "bob")
        // The next one finds the store within its cap again.
        try second.begin("eve")
        #expect(second.statistics().sessions == 3 && second.read(id) != nil)
    }

    @Test("an id that was replaced without a grace opens nothing in the file")
    func unsealed() throws {
        let first = try fixture.start()
        let (dead, old) = (try first.begin("ada"), try first.begin("ada"))
        _ = first.rotate(dead, to: .random(), grace: .zero)
        _ = first.rotate(old, to: .random(), grace: .seconds(10))
        try settle(first)
        let sealed = try JournalFormatTests.read(journal).records.compactMap { record -> Bool? in
            guard case .rotation(_, _, let seal, _) = record else { return nil }
            return seal != .zero
        }
        #expect(sealed == [false, true])
        first.close()
    }

    @Test("who follows a rotation of another request waits until that is on the disk")
    func latecomer() throws {
        let disk = FragileDisk()
        let provider = try fixture.start(disk: disk)
        let manager = try SessionManager(provider: provider)
        let id = try provider.begin("ada")
        try settle(provider)
        disk.fail(["write", "create"])
        _ = provider.rotate(id, to: .random(), grace: .seconds(10))
        let late = manager.open(SessionIDCandidates(id), isSecure: false)
        #expect(try late.user == "ada")
        #expect(throws: SessionStoreError.self) { try late.commit() }
    }

    @Test("a journal that should be there and is not is told of")
    func missing() throws {
        let first = try fixture.start()
        try first.begin("ada")
        #expect(first.keeper?.writeNow() == 1)
        first.crash()
        try FileManager.default.removeItem(atPath: journalPath)
        let second = try fixture.start()
        #expect(fixture.log.contains("error", "is not there", "log-outs undone"))
        second.close()
        let count = fixture.log.all.count
        // After a clean end there is none, and none is missed.
        let third = try fixture.start()
        #expect(!fixture.log.all.dropFirst(count).contains { $0.contains("is not there") })
        third.close()
    }

    private var journalPath: String { fixture.path + ".journal" }

    private var journal: [UInt8] {
        get throws { [UInt8](try Data(contentsOf: URL(fileURLWithPath: journalPath))) }
    }

    private func write(_ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: journalPath))
        chmod(journalPath, 0o600)
    }

    @Test("is made with mode 0600, has no id as it stands, and goes with the end")
    func file() throws {
        let first = try fixture.start()
        let (id, new) = (try first.begin("ada"), SessionID.random())
        _ = first.rotate(id, to: new, grace: .seconds(10))
        try settle(first)
        var status = stat()
        #expect(stat(journalPath, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        let bytes = Data(try journal)
        for id in [id, new] {
            #expect(bytes.range(of: Data(id.bytes)) == nil && bytes.range(of: Data(id.encoded.utf8)) == nil)
            #expect(bytes.range(of: Data(id.digest)) != nil)
        }
        first.close()
        #expect(try fixture.names == ["state", "state.lock"])
    }

    @Test("a state file that ends a process can be read by a program without a journal, and no other")
    func versions() throws {
        let first = try fixture.start()
        try first.begin("ada")
        #expect(first.keeper?.writeNow() == 1)
        #expect(fixture.bytes.withUnsafeBytes { SnapshotHeader($0)?.version } == 2)
        first.close()
        #expect(fixture.bytes.withUnsafeBytes { SnapshotHeader($0)?.version } == 1)
    }

    @Test("a state file of a program without a journal is restored")
    func older() throws {
        let first = try fixture.start()
        let id = try first.begin("ada")
        first.close()
        // Zeros stood there.
        var header = try #require(fixture.bytes.withUnsafeBytes { SnapshotHeader($0) })
        (header.journal, header.sequence) = (0, 0)
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        header.append(to: &bytes)
        try fixture.write(bytes + fixture.bytes.dropFirst(bytes.count))
        let second = try fixture.start()
        #expect(second.read(id) != nil)
        let late = try second.begin("bob")
        try settle(second)
        second.crash()
        let third = try fixture.start()
        #expect(third.read(id) != nil && third.read(late) != nil)
    }

    @Test("one of a newer version stops a start, and a check, with the remedy")
    func newer() throws {
        let first = try fixture.start()
        try first.begin("ada")
        try settle(first)
        first.crash()
        var header = try #require(try journal.withUnsafeBytes { JournalHeader($0) })
        header.version = 7
        var bytes: [UInt8] = []
        header.append(to: &bytes)
        header.append(to: &bytes)
        try write(bytes)
        let file = MemoryProvider.StateFile(path: fixture.path)
        for attempt in [{ _ = try fixture.start() }, { try file.checkAccess() }] {
            let error = #expect(throws: ConfigurationError.self) { try attempt() }
            #expect(error?.field == "state" && error?.description.contains("newer version 7") == true)
        }
        #expect(try journal == bytes)
    }

    @Test("a tail that is torn is cut off, and what stands before it counts", arguments: [1, 20, 30, 60, 100])
    func torn(count: Int) throws {
        let first = try fixture.start()
        let (early, late) = (try first.begin("ada"), try first.begin("bob"))
        try settle(first)
        first.crash()
        try write(try journal.dropLast(count))
        let second = try fixture.start()
        #expect(second.read(early) != nil && second.read(late) == nil)
        #expect(fixture.log.contains("notice", "state.journal", "cut off"))
        second.crash()
        // Nothing was appended to what was torn.
        #expect(try fixture.start().read(early) != nil)
    }

    @Test("damage in the middle is told and kept, and all else counts")
    func damaged() throws {
        let first = try fixture.start()
        let ids = try ["ada", "bob", "eve"].map { try first.begin(ByteString($0)) }
        try settle(first)
        first.crash()
        var bytes = try journal
        bytes[bytes.count / 2 + 40] ^= 1
        try write(bytes)
        let second = try fixture.start()
        #expect(ids.filter { second.read($0) != nil }.count == 2)
        #expect(fixture.log.contains("error", "state.journal is damaged in 1 places", ".journal.damaged"))
        #expect(FileManager.default.contents(atPath: journalPath + ".damaged") == Data(bytes))
    }

    @Test("one that is no journal, or that others may write, is told, and the start goes on")
    func foreign() throws {
        let first = try fixture.start()
        let id = try first.begin("ada")
        #expect(first.keeper?.writeNow() == 1)
        first.crash()
        try write(Array("something else".utf8))
        let second = try fixture.start()
        #expect(second.read(id) != nil && fixture.log.contains("error", "no journal"))
        let late = try second.begin("bob")
        try settle(second)
        second.crash()
        chmod(journalPath, 0o666)
        let third = try fixture.start()
        #expect(third.read(id) != nil && third.read(late) == nil)
        #expect(fixture.log.contains("error", "log-ins and log-outs", "others may write it"))
    }

    @Test("the journal of before, which a crash between the two renames leaves, takes nothing back")
    func between() throws {
        let first = try fixture.start()
        let (id, out) = (try first.begin("ada"), try first.begin("bob"))
        try settle(first)
        let before = try journal
        var patch = SessionPatch()
        try patch.set(.string("later"), for: SessionKey("text"))
        _ = try first.commit(patch, to: id, expecting: nil)
        _ = first.destroy(out)
        #expect(first.keeper?.writeNow() == 1)
        first.crash()
        // Without the log-out, as if that had been answered for by the snapshot alone.
        try write(before)
        let second = try fixture.start()
        #expect(second.read(id)?.values[SessionKey("text")] == .string("later") && second.read(out) == nil)
    }

    @Test("one of another state file is not used; one beside a state file that cannot be read is all that is left")
    func others() throws {
        let first = try fixture.start()
        let id = try first.begin("ada")
        #expect(first.keeper?.writeNow() == 1)
        let late = try first.begin("bob")
        try settle(first)
        first.crash()
        let (state, journal) = (fixture.bytes, try journal)
        let other = try SnapshotFixture()
        let elsewhere = try other.start()
        elsewhere.close()
        try fixture.write(other.bytes)
        let second = try fixture.start()
        #expect(second.read(late) == nil && fixture.log.contains("warning", "another state file"))
        second.crash()
        try fixture.write([0xFF] + state)
        try write(journal)
        let third = try fixture.start()
        #expect(third.read(late) != nil && third.read(id) == nil)
        third.close()
        // Taken away by hand, it is to be forgotten.
        #expect(unlink(fixture.path) == 0)
        try write(journal)
        #expect(try fixture.start().read(late) == nil)
    }

    @Test("an id that a rotation replaced leads to the next one over a crash, until its grace ends")
    func grace() throws {
        let first = try fixture.start()
        let (old, middle, new) = (try first.begin("ada"), SessionID.random(), SessionID.random())
        _ = first.rotate(old, to: middle, grace: .seconds(10))
        _ = first.rotate(middle, to: new, grace: .seconds(10))
        try settle(first)
        first.crash()
        let second = try fixture.start()
        fixture.time.advance(by: .seconds(9))
        for id in [old, middle] {
            let record = try #require(second.read(id))
            #expect(record.successor == new && record.values.user == "ada")
        }
        // Once more, as the files have it now.
        fixture.time.advance(by: .seconds(1))
        #expect(second.read(old) == nil && second.read(middle) == nil && second.read(new) != nil)
        second.close()
        let third = try fixture.start()
        #expect(third.read(new) != nil && third.count() == 1)
    }

    @Test("a log-out by an id in its grace ends the session after a crash, too")
    func graceLogOut() throws {
        let first = try fixture.start()
        let (old, new) = (try first.begin("ada"), SessionID.random())
        _ = first.rotate(old, to: new, grace: .seconds(10))
        try settle(first)
        first.crash()
        let second = try fixture.start()
        #expect(second.destroy(old))
        #expect(second.read(new) == nil)
        try settle(second)
        second.crash()
        let third = try fixture.start()
        #expect(third.read(new) == nil && third.read(old) == nil)
    }

    @Test("a restored session that is ended before anybody came with its id does not come back")
    func unclaimed() throws {
        let first = try fixture.start()
        let (ada, bob) = (try first.begin("ada"), try first.begin("bob"))
        try settle(first)
        first.crash()
        let second = try fixture.start()
        #expect(second.destroySessions(of: "ada", except: nil, keeping: 0) == 1)
        try settle(second)
        second.crash()
        let third = try fixture.start()
        #expect(third.read(ada) == nil && third.read(bob) != nil)
    }

    @Test("what made room for others is no log-out, and costs no write")
    func eviction() throws {
        let first = try fixture.start(maximumSessions: 1)
        try first.begin()
        let end = first.journalEnd
        try first.begin()
        #expect(first.count() == 1 && first.journalEnd == end)
    }

    @Test("another lifetime of a log-in is kept over a crash")
    func lifetime() throws {
        let first = try fixture.start()
        let id = try first.begin("ada", idle: .seconds(100), absolute: .seconds(1_000))
        var patch = SessionPatch()
        patch.lifetime = SessionLifetime(idleTimeout: .seconds(5), absoluteTimeout: .seconds(50))
        _ = try first.commit(patch, to: id, expecting: nil)
        try settle(first)
        first.crash()
        let second = try fixture.start()
        #expect(second.read(id)?.idleRemaining == .seconds(5))
    }

    @Test("without a state file nothing is journalled, and nothing waits")
    func none() throws {
        let provider = try MemoryProvider()
        #expect(provider.journalEnd == nil && provider.statistics().unsaved == nil)
        try provider.settle(99)
    }
}
