import Dispatch
import Foundation
import GalletaPlatform
import Sessions
import SessionsTesting
import Synchronization
import TestSupport
import Testing

@testable import MemorySessions

@Suite("A snapshot beside traffic")
struct SnapshotTrafficTests {
    private let fixture: SnapshotFixture
    private let provider: MemoryProvider

    init() throws {
        fixture = try SnapshotFixture()
        provider = try fixture.start()
    }

    /// Takes a snapshot into the file, calls `body` before each slice, and gives the provider that comes after a crash.
    private func crash(during body: (Int) -> Void) throws -> MemoryProvider {
        var taker = SnapshotTaker(of: provider.store, SnapshotHeader(time: provider.store.stateTime, mark: 1))
        var bytes: [UInt8] = []
        var slice = 0
        let isWhole = try taker.run {
            body(slice)
            slice += 1
            return true
        } to: { piece in
            bytes += piece
        }
        #expect(isWhole && slice > 0)
        provider.crash()
        try fixture.write(bytes)
        return try fixture.start()
    }

    private func rotate(_ id: SessionID, grace: Duration = .zero) -> SessionID {
        let new = SessionID.random()
        _ = provider.rotate(id, to: new, grace: grace)
        return new
    }

    @Test("an id that a log-in replaced meanwhile stays dead, and its session is kept", arguments: [0, 100, 10_000])
    func rotation(slice: Int) throws {
        var ids = try (0..<1_000).map { _ in try provider.begin() }
        let old = ids
        let next = try crash { now in
            guard now == min(slice, 200) else { return }
            for position in ids.indices { ids[position] = rotate(ids[position]) }
        }
        #expect(old.allSatisfy { next.read($0) == nil })
        #expect(ids.allSatisfy { next.read($0) != nil })
        #expect(next.count() == 1_000)
    }

    @Test("sessions that rotate again and again, into every shard, are all there once")
    func manyRotations() throws {
        var ids = try (0..<500).map { _ in try provider.begin("ada") }
        let next = try crash { slice in
            guard slice < 150 else { return }
            for _ in 0..<20 {
                let position = Int.random(in: ids.indices)
                ids[position] = rotate(ids[position], grace: slice % 2 == 0 ? .seconds(10) : .zero)
            }
        }
        #expect(ids.allSatisfy { next.read($0) != nil })
        #expect(next.count() == 500)
        #expect(next.sessions(of: "ada", current: nil, limit: .max).sessions.count == 500)
    }

    @Test("a session that ended meanwhile does not come back")
    func destroyed() throws {
        let ids = try (0..<1_000).map { _ in try provider.begin("ada") }
        let next = try crash { slice in
            if slice == 100 { for id in ids.prefix(400) { _ = provider.destroy(id) } }
            if slice == 150 { _ = provider.destroySessions(of: "ada", except: ids[999], keeping: 0) }
        }
        #expect(next.count() == 1)
        #expect(next.read(ids[999]) != nil)
    }

    @Test("a lifetime that was cut meanwhile is cut after the restart")
    func lifetime() throws {
        let ids = try (0..<300).map { _ in try provider.begin() }
        let next = try crash { slice in
            guard slice == 150 else { return }
            var patch = SessionPatch()
            patch.lifetime = SessionLifetime(idleTimeout: .seconds(5), absoluteTimeout: .seconds(5))
            for id in ids { _ = try? provider.commit(patch, to: id, expecting: nil) }
        }
        fixture.time.advance(by: .seconds(5))
        #expect(ids.allSatisfy { next.read($0) == nil })
    }

    @Test("a restored session whose visitor comes back meanwhile is kept")
    func claimed() throws {
        let ids = try (0..<600).map { _ in try provider.begin("ada") }
        provider.close()
        let second = try fixture.start()
        var taker = SnapshotTaker(of: second.store, SnapshotHeader(time: second.store.stateTime, mark: 1))
        var bytes: [UInt8] = []
        var slice = 0
        _ = try taker.run {
            slice += 1
            if slice == 100 { for id in ids { #expect(second.read(id) != nil) } }
            return true
        } to: {
            bytes += $0
        }
        second.crash()
        try fixture.write(bytes)
        let third = try fixture.start()
        #expect(ids.allSatisfy { third.read($0) != nil })
        #expect(third.count() == 600)
    }

    @Test("no session is lost while slots are moved to give memory back")
    func compaction() throws {
        let ids = try (0..<40_000).map { _ in try provider.begin() }
        for id in ids.prefix(36_000) { #expect(provider.destroy(id)) }
        let kept = ids.suffix(4_000)
        let store = provider.store
        let next = try crash { slice in
            store.shards[slice % store.shards.count].withLock { _ = $0.compact(limit: 64) }
            store.shards[min(slice / 3, store.shards.count - 1)].withLock { _ = $0.compact(limit: 64) }
        }
        #expect(kept.allSatisfy { next.read($0) != nil })
        #expect(next.count() == 4_000)
    }

    @Test("parallel traffic loses nothing over many snapshots")
    func parallel() throws {
        let provider = provider
        let isOver = Atomic<Bool>(false)
        let results = LogLines()
        let group = DispatchGroup()
        let kept = LockedIDs()
        for _ in 0..<3 {
            group.enter()
            Thread {
                defer { group.leave() }
                var ids: [SessionID] = []
                var ended: [SessionID] = []
                while !isOver.load(ordering: .relaxed) {
                    if ids.count < 300, let id = try? provider.begin(ids.count % 2 == 0 ? "ada" : nil) {
                        ids.append(id)
                    }
                    let position = Int.random(in: ids.indices)
                    let id = ids[position]
                    switch Int.random(in: 0..<8) {
                    case 0:
                        let new = SessionID.random()
                        guard case .rotated = provider.rotate(id, to: new, grace: .zero) else {
                            results.add("not rotated")
                            return
                        }
                        ended.append(id)
                        ids[position] = new
                    case 1 where ids.count > 200:
                        if !provider.destroy(id) { results.add("not destroyed") }
                        ended.append(id)
                        ids.remove(at: position)
                    default:
                        if provider.read(id) == nil { results.add("not read") }
                    }
                }
                kept.add(ids, ended)
            }.start()
        }
        for _ in 0..<8 { #expect(provider.keeper?.writeNow() != nil) }
        isOver.store(true, ordering: .relaxed)
        group.wait()
        #expect(results.all.isEmpty, "\(results.all)")
        provider.close()
        let next = try fixture.start()
        #expect(kept.live.allSatisfy { next.read($0) != nil })
        #expect(kept.ended.allSatisfy { next.read($0) == nil })
        #expect(next.count() == kept.live.count)
    }
}

/// Ids that several threads hand in.
private final class LockedIDs: @unchecked Sendable {
    private let lock = NSLock()
    private var ids: (live: [SessionID], ended: [SessionID]) = ([], [])

    func add(_ live: [SessionID], _ ended: [SessionID]) {
        lock.withLock {
            ids.live += live
            ids.ended += ended
        }
    }

    var live: [SessionID] { lock.withLock { ids.live } }
    var ended: [SessionID] { lock.withLock { ids.ended } }
}
