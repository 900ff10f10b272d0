import Dispatch
import Foundation
import GalletaPlatform
import Logging
import MemorySessions
import TestSupport
import Testing

@testable import PHPSessions

@Suite("The state file of PHP's sessions in memory")
struct MemoryStateTests {
    private let folder: TemporaryFolder
    private let log = CapturedLog()
    private var path: String { folder.file("state") }

    init() throws {
        folder = try TemporaryFolder()
    }

    private func store(at now: Duration = .seconds(1_000_000)) throws -> MemoryStore {
        var configuration = MemoryStore.Configuration(idleTimeout: .seconds(1_440))
        configuration.clock = WallClock { now }
        configuration.owner = { $0 == [0, 255] ? SessionOwner("zoë") : nil }
        return try MemoryStore(configuration)
    }

    private func keeper(_ store: MemoryStore, path: String? = nil) throws -> StateKeeper {
        let log = log
        return try StateKeeper(
            of: store, file: MemoryProvider.StateFile(path: path ?? self.path, lockTimeout: .milliseconds(20)),
            logger: Logger(label: "test") { _ in log }, queue: DispatchQueue(label: "test"))
    }

    private func digest(_ number: Int) -> IDDigest { IDDigest(PHPSessionID(ByteString("id\(number)"))!) }

    private func fill(_ store: MemoryStore, _ numbers: Range<Int>) {
        for number in numbers {
            _ = store.write(
                digest(number), Array("n|i:\(number);".utf8), lifetime: .seconds(100 + number), reading: nil)
        }
    }

    private func text(_ store: MemoryStore, _ number: Int) -> String? {
        store.read(digest(number)).bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("brings back what there was, with users, deadlines and names in lists, and not what has ended")
    func restores() throws {
        let store = try store()
        let keeper = try keeper(store)
        fill(store, 0..<1_000)
        let now = store.now
        let list = store.state.withLock { state in
            _ = state.table.put(
                digest(5_000), [0, 255], deadline: now + 500_000_000_000, owner: SessionOwner("zoë"), at: now)
            return state.table.sessions(of: "zoë", at: now)
        }
        keeper.close()
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(FileManager.default.contents(atPath: path)?.range(of: Data("id17".utf8)) == nil)
        let later = try self.store(at: .seconds(1_000_000 + 600))
        let earlier = try self.store(at: .seconds(1_000_000 + 300))
        for (store, gone) in [(later, 501), (earlier, 201)] {
            let keeper = try self.keeper(store)
            for number in 0..<1_000 {
                #expect(text(store, number) == (number < gone ? nil : "n|i:\(number);"), "\(number)")
            }
            let found = store.state.withLock { $0.table.sessions(of: "zoë", at: store.now) }
            #expect(found.map(\.reference) == (gone == 201 ? list.map(\.reference) : []))
            #expect(found.map(\.deadline) == (gone == 201 ? list.map(\.deadline) : []))
            #expect(found.map(\.bytes) == (gone == 201 ? [[0, 255]] : []))
            keeper.abandon()
        }
    }

    @Test("a session that gets another id, behind or before the place that is being written, is in it once")
    func changesMeanwhile() throws {
        let store = try store()
        let keeper = try keeper(store)
        fill(store, 0..<2_000)
        // Of the first place and the last one it always has one, and the other is free.
        _ = store.remove(digest(0))
        let runner = Cell<Int>()
        let mayStop = Cell<Bool>()
        let isDone = Cell<Bool>()
        _ = store.write(digest(10_000), [1], lifetime: .seconds(500), reading: nil)
        _ = store.remove(digest(1_999))
        let thread = Thread {
            var number = 10_000
            while mayStop.value == nil {
                store.state.withLock { state in
                    let now = store.now
                    _ = state.table.put(digest(number + 1), [1], deadline: now + 500_000_000_000, owner: nil, at: now)
                    _ = state.table.remove(digest(number), at: now)
                }
                number += 1
            }
            runner.set(number)
            isDone.set(true)
        }
        thread.start()
        for _ in 0..<30 {
            #expect(keeper.writeNow() == 1_999)
            let copy = path + "-copy"
            try? FileManager.default.removeItem(atPath: copy)
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            let restored = try self.store()
            try self.keeper(restored, path: copy).abandon()
            #expect(restored.state.withLock { $0.table.count } == 1_999)
        }
        mayStop.set(true)
        #expect(eventually { isDone.value == true })
        #expect(keeper.writeNow() == 1_999)
        keeper.abandon()
        let last = try self.store()
        try self.keeper(last).abandon()
        #expect(text(last, try #require(runner.value)) != nil)
    }

    @Test("one that is damaged loses one session at most, one that is cut what is behind; it is kept aside")
    func damaged() throws {
        let store = try store()
        let keeper = try keeper(store)
        fill(store, 0..<100)
        keeper.close()
        let whole = try #require(FileManager.default.contents(atPath: path))
        for place in [whole.count - 1, whole.count / 2, 20, 9] {
            for isCut in [false, true] {
                var bytes = whole
                if isCut { bytes = bytes.prefix(place) } else { bytes[place] ^= 1 }
                try bytes.write(to: URL(fileURLWithPath: path))
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
                let store = try self.store()
                let second = try self.keeper(store)
                let found = (0..<100).filter { text(store, $0) == "n|i:\($0);" }.count
                #expect(found == store.state.withLock { $0.table.count })
                let behindHeaders = max(0, place - 144)
                let before = 100 * behindHeaders / (whole.count - 144)
                #expect(isCut ? (before - 2...before + 1).contains(found) : found >= 99, "\(place): \(found)")
                second.abandon()
            }
        }
        #expect(log.text.contains("is damaged") && log.text.contains(".damaged"))
        #expect(FileManager.default.contents(atPath: path + ".damaged") != nil)
    }

    @Test("one of another kind is somebody's: it is refused, and stays as it is; two processes cannot have one")
    func foreign() throws {
        var configuration = MemoryProvider.Configuration()
        let file = MemoryProvider.StateFile(path: path)
        configuration.state = file
        try MemoryProvider(configuration: configuration).close()
        let others = try #require(FileManager.default.contents(atPath: path))
        for body in [{ _ = try keeper(store()) }, { try file.checkAccess(of: .php) }] {
            let error = #expect(throws: ConfigurationError.self) { try body() }
            #expect(error?.field == "state" && error?.reason.contains("another kind") == true)
        }
        #expect(FileManager.default.contents(atPath: path) == others)
        try FileManager.default.removeItem(atPath: path)
        let first = try keeper(store())
        let error = #expect(throws: ConfigurationError.self) { try keeper(store()) }
        #expect(error?.reason.contains("another process") == true)
        try file.checkAccess(of: .php)
        #expect(first.figures == nil)
        first.close()
        #expect(first.figures != nil && first.failureCount == 0)
        try file.checkAccess(of: .php)
        let refused = #expect(throws: ConfigurationError.self) { try MemoryProvider(configuration: configuration) }
        #expect(refused?.reason.contains("another kind") == true)
        try keeper(store()).close()
    }
}
