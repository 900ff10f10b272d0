import Foundation
import GalletaPlatform
import Sessions
import TestSupport
import Testing

@testable import MemorySessions

@Suite("The journal on a disk that fails", .serialized)
struct JournalFailureTests {
    private let fixture: SnapshotFixture
    private let disk = FragileDisk()

    init() throws {
        fixture = try SnapshotFixture()
    }

    private func isSaved(_ provider: MemoryProvider) -> Bool {
        (try? provider.settle(provider.journalEnd ?? 0)) != nil
    }

    @Test(
        "a log-out is carried out and is an error of its own, a log-in is taken back, and a rotation stands",
        arguments: ["write", "sync"])
    func sessions(call: String) throws {
        let provider = try fixture.start(disk: disk)
        let manager = try SessionManager(provider: provider)
        func open(_ id: SessionID?) -> Session {
            manager.open(id.map { SessionIDCandidates($0) } ?? SessionIDCandidates(), isSecure: false)
        }
        let (leaves, moves, stays) = (try provider.begin("ada"), try provider.begin("ada"), try provider.begin())
        #expect(isSaved(provider))
        // Snapshots fail, too, so nothing is mended meanwhile.
        disk.fail([call, "create"])

        let first = open(nil)
        try first.logIn(user: "eve")
        let failure = #expect(throws: SessionStoreError.self) { try first.commit() }
        #expect(failure?.reason == .unavailable && first.discard().setCookie == nil)

        let leaving = open(leaves)
        try leaving.destroy()
        let error = #expect(throws: SessionStoreError.self) { try leaving.commit() }
        #expect(error?.reason == .unsaved)
        #expect(leaving.discard().setCookie?.contains("Max-Age=0") == true)
        #expect(provider.read(leaves) == nil)

        let moving = open(moves)
        try moving.rotate()
        #expect(throws: SessionStoreError.self) { try moving.commit() }
        #expect(moving.discard().setCookie != nil)
        #expect(provider.sessions(of: "ada", current: nil, limit: 9).total == 1)

        // By now it is known, and nothing is begun: a visitor keeps what there is.
        for session in [open(nil), open(stays)] {
            let error = #expect(throws: SessionStoreError.self) { try session.logIn(user: "eve") }
            #expect(error?.reason == .unavailable)
            #expect(session.discard().setCookie == nil)
        }
        #expect(provider.read(stays) != nil)
        #expect(provider.sessions(of: "eve", current: nil, limit: 9).total == 0)

        // Counts and carts have no need of it.
        let counting = open(nil)
        try counting.set("n", 1)
        #expect(try counting.commit().setCookie != nil)
        #expect(provider.statistics().unsaved ?? 0 >= 4)
        #expect(fixture.log.contains("error", "log-ins are refused", "No space left", "make room on the disk"))

        disk.fail([])
        #expect(provider.keeper?.writeNow() != nil)
        let mended = open(nil)
        try mended.logIn(user: "eve")
        #expect(try mended.commit().setCookie != nil)
        provider.crash()
        let next = try fixture.start()
        #expect(next.read(leaves) == nil && next.sessions(of: "eve", current: nil, limit: 9).total == 1)
        #expect(next.sessions(of: "ada", current: nil, limit: 9).total == 1)
    }

    @Test("after a failure it is mended by itself, without waiting for the interval")
    func mended() throws {
        let provider = try fixture.start(disk: disk)
        disk.fail(["sync"], code: EIO)
        _ = try provider.begin("ada")
        #expect(!isSaved(provider))
        disk.fail([])
        #expect(eventually(within: 30) { provider.keeper?.journal?.isBroken == false })
        let id = try provider.begin("bob")
        #expect(isSaved(provider))
        provider.crash()
        #expect(try fixture.start().read(id) != nil)
    }

    @Test("a new journal whose name may not be on the disk is not used, nor the one that has lost it")
    func name() throws {
        let provider = try fixture.start(disk: disk)
        let early = try provider.begin("ada")
        #expect(isSaved(provider))
        disk.before("rename") { [disk] path in
            if path.hasSuffix(".journal") { disk.fail(["syncFolder"]) }
        }
        #expect(provider.keeper?.writeNow() == 1)
        let late = try provider.begin("bob")
        #expect(!isSaved(provider))
        disk.before("rename", nil)
        disk.fail([])
        #expect(provider.keeper?.writeNow() == 2)
        let last = try provider.begin("eve")
        #expect(isSaved(provider))
        provider.crash()
        let next = try fixture.start()
        for id in [early, late, last] { #expect(next.read(id) != nil) }
    }

    @Test("where no new journal can be made the one until now goes on")
    func old() throws {
        let provider = try fixture.start(disk: disk)
        disk.before("create") { [disk] path in
            disk.fail(path.hasSuffix(".journal.tmp") ? ["create"] : [])
        }
        let early = try provider.begin("ada")
        #expect(provider.keeper?.writeNow() == 1)
        let late = try provider.begin("bob")
        #expect(isSaved(provider) && provider.destroy(early) && isSaved(provider))
        #expect(fixture.log.contains("error", "the one until now grows on"))
        #expect(!fixture.log.contains("log-ins are refused"))
        provider.crash()
        let next = try fixture.start()
        #expect(next.read(early) == nil && next.read(late) != nil)
    }

    @Test("a start on a disk that is full comes to its end, and logs nobody in until there is room")
    func fullStart() throws {
        let before = try fixture.start()
        let id = try before.begin("ada")
        #expect(isSaved(before))
        before.crash()
        disk.fail(["write"])
        let provider = try fixture.start(disk: disk)
        #expect(provider.read(id) != nil)
        _ = try provider.begin("bob")
        #expect(!isSaved(provider))
        provider.crash()
        // What the full disk has kept is still good.
        let next = try fixture.start()
        #expect(next.read(id) != nil)
    }

    @Test("one sync serves all who wait")
    func group() throws {
        let provider = try fixture.start(disk: disk)
        let before = (disk.count(of: "sync"), disk.count(of: "write"))
        let isOpen = Monitor(false)
        disk.before("sync") { _ in isOpen.wait(until: { $0 }, timeout: .seconds(60)) { _ in } }
        let waiting = DispatchGroup()
        for _ in 0..<64 {
            _ = try provider.begin("ada")
            let end = try #require(provider.journalEnd)
            waiting.enter()
            Thread {
                try? provider.settle(end)
                waiting.leave()
            }.start()
        }
        // All are appended: the first may be in a write of its own, the others are in the next.
        isOpen.withLock { $0 = true }
        isOpen.wake()
        #expect(waiting.wait(timeout: .now() + 60) == .success)
        #expect(disk.count(of: "sync") - before.0 <= 3 && disk.count(of: "write") - before.1 <= 3)
        provider.close()
    }

    @Test("what waits without a thread is told, too, of success and of failure")
    func awaited() async throws {
        let provider = try fixture.start(disk: disk)
        let id = try provider.begin("ada")
        try await provider.settleAsync(try #require(provider.journalEnd))
        #expect(try provider.isSettled(try #require(provider.journalEnd)))
        disk.fail(["write", "create"])
        _ = provider.destroy(id)
        let end = try #require(provider.journalEnd)
        await #expect(throws: SessionStoreError.self) { try await provider.settleAsync(end) }
        #expect(throws: SessionStoreError.self) { try provider.isSettled(end) }
    }

    @Test("after the end nothing is promised any more, and what was on its way is told the truth")
    func closed() throws {
        let provider = try fixture.start(disk: disk)
        let isOpen = Monitor(false)
        disk.before("sync") { _ in isOpen.wait(until: { $0 }, timeout: .seconds(60)) { _ in } }
        let early = try provider.begin("ada")
        let end = try #require(provider.journalEnd)
        let outcome = Locked<[Bool]>([])
        provider.store.ledger.journal?.wait(for: end) { isSettled in outcome.withLock { $0.append(isSettled) } }
        provider.store.ledger.journal?.stop()
        _ = try provider.begin("ada")
        let late = try #require(provider.journalEnd)
        #expect(try !provider.isSettled(end))
        provider.store.ledger.journal?.wait(for: late) { isSettled in outcome.withLock { $0.append(isSettled) } }
        isOpen.withLock { $0 = true }
        isOpen.wake()
        #expect(eventually(within: 30) { outcome.withLock { $0.count } == 2 })
        #expect(outcome.withLock { $0 } == [true, false])
        _ = try provider.begin("ada")
        #expect(!isSaved(provider))
        provider.crash()
        #expect(try fixture.start().read(early) != nil)
    }

    @Test("what ends sessions outside of a request, or after its answer has begun, waits itself")
    func blocking() throws {
        let provider = try fixture.start(disk: disk)
        let manager = try SessionManager(provider: provider)
        let begun = manager.open(SessionIDCandidates(), isSecure: false)
        try begun.logIn(user: "bob")
        _ = try begun.commit()
        _ = try provider.begin("ada")
        #expect(isSaved(provider))
        #expect(try manager.endSessions(of: "ada") == 1)
        #expect(try provider.isSettled(try #require(provider.journalEnd)))
        _ = try provider.begin("ada")
        #expect(isSaved(provider))
        let reference = try #require(provider.sessions(of: "ada", current: nil, limit: 1).sessions.first?.reference)
        disk.fail(["sync", "create"])
        for attempt in [{ _ = try manager.endSession(reference, of: "ada") }, { try begun.destroy() }] {
            let error = #expect(throws: SessionStoreError.self) { try attempt() }
            #expect(error?.reason == .unsaved)
        }
        #expect(provider.count() == 0)
    }

    @Test("of more failures than are remembered apart none is taken for a success", arguments: [1, 63, 64, 65, 200])
    func ranges(count: Int) {
        var failed = FailedSequences()
        for number in 1...UInt64(count) { failed.insert((10 * number)...(10 * number + 2)) }
        for number in 1...UInt64(count) {
            for sequence in (10 * number)...(10 * number + 2) { #expect(failed.contains(sequence)) }
        }
        #expect(!failed.contains(UInt64(10 * count + 3)) && !failed.contains(9))
    }
}
