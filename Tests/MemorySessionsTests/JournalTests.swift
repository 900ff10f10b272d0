import Foundation
import Sessions
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
}
