import Foundation
import Sessions
import TestSupport
import Testing

@testable import MemorySessions

/// What has been promised to visitors: answered log-ins and log-outs.
private struct Promises {
    var loggedIn: Set<SessionID> = []
    var loggedOut: Set<SessionID> = []

    /// Takes over what a settled change has made of a session.
    mutating func hold(in loggedIn: SessionID? = nil, out loggedOut: SessionID? = nil) {
        if let loggedIn { self.loggedIn.insert(loggedIn) }
        if let loggedOut { self.loggedOut.insert(loggedOut) }
    }

    func isKept(by provider: MemoryProvider) -> Bool {
        loggedIn.allSatisfy { provider.read($0) != nil } && loggedOut.allSatisfy { provider.read($0) == nil }
    }
}

@Suite("The journal and power cuts", .serialized)
struct JournalPowerTests {
    /// A working day of a provider, on a disk that may be cut off at any moment: what was settled is promised.
    private static func day(_ fixture: SnapshotFixture, _ disk: FragileDisk) throws -> (Promises, MemoryProvider?) {
        var promises = Promises()
        guard let provider = try? fixture.start(disk: disk) else { return (promises, nil) }
        func settles() -> Bool { (try? provider.settle(provider.journalEnd ?? 0)) != nil }
        func logIn(_ user: ByteString) throws -> SessionID {
            let id = try provider.begin(user)
            if settles() { promises.hold(in: id) }
            return id
        }
        func logOut(_ id: SessionID) {
            promises.loggedIn.remove(id)
            _ = provider.destroy(id)
            if settles() { promises.hold(out: id) }
        }
        let (ada, bob, eve) = (try logIn("ada"), try logIn("bob"), try logIn("eve"))
        _ = provider.keeper?.writeNow()
        logOut(ada)
        let next = SessionID.random()
        promises.loggedIn.remove(bob)
        _ = provider.rotate(bob, to: next, grace: .zero)
        if settles() { promises.hold(in: next, out: bob) }
        // In the midst of a snapshot: noted there, or not any more.
        let (late, early, during) = (try logIn("late"), try logIn("early"), SessionID.random())
        for (call, leaving, coming) in [("create", early, nil), ("write", eve, during)] {
            promises.loggedIn.remove(leaving)
            let isSettled = Shared(false)
            disk.before(call) { path in
                guard path.hasSuffix("state.tmp"), provider.read(leaving) != nil else { return }
                _ = provider.destroy(leaving)
                if let coming { _ = try? provider.begin("during", id: coming) }
                isSettled.value = (try? provider.settle(provider.journalEnd ?? 0)) != nil
            }
            _ = provider.keeper?.writeNow()
            disk.before(call, nil)
            if isSettled.value { promises.hold(in: coming, out: leaving) }
        }
        logOut(late)
        _ = try logIn("last")
        return (promises, provider)
    }

    private final class Shared<Value>: @unchecked Sendable {
        // Safe: handed from thread to thread by calls that wait for each other.
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    @Test(
        "whenever the power is cut, and whatever of the unsynced is left, each promise is kept, and the start comes to its end"
    )
    func cuts() throws {
        let whole = FragileDisk()
        let (promises, provider) = try Self.day(try SnapshotFixture(), whole)
        #expect(promises.loggedIn.count == 3 && promises.loggedOut.count == 5)
        provider?.close()
        let total = whole.operationCount
        #expect(total > 40)
        for operations in 0...total {
            for remains in FragileDisk.Remains.all {
                let fixture = try SnapshotFixture()
                let disk = FragileDisk(cutAfter: operations)
                let (promises, provider) = try Self.day(fixture, disk)
                if disk.isCut { provider?.crash() } else { provider?.close() }
                try disk.cut(remains)
                let next = try fixture.start()
                #expect(promises.isKept(by: next), "after \(operations) operations, \(remains)")
                next.crash()
            }
        }
    }

    @Test("a second crash before the next snapshot takes nothing away")
    func twice() throws {
        let fixture = try SnapshotFixture()
        let first = try fixture.start()
        let ada = try first.begin("ada")
        try first.settle(first.journalEnd ?? 0)
        first.crash()
        // The start that reads the journal is cut off at each of its operations.
        for operations in 0...12 {
            let disk = FragileDisk(cutAfter: operations)
            let next = try? fixture.start(disk: disk)
            next?.crash()
            try disk.cut(.init(quarters: 2, names: operations % 2 == 0))
        }
        let last = try fixture.start()
        #expect(last.read(ada) != nil)
    }
}
