import Foundation
import Glibc
import Sessions
import TestSupport
import Testing

@testable import MemorySessions

@Suite("The state file", .serialized)
struct SnapshotFileTests {
    private var fixture: SnapshotFixture

    init() throws {
        fixture = try SnapshotFixture()
    }

    @Test("a copy that is kept aside is whole, for this user alone, and takes no other's place")
    func copy() throws {
        let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try fixture.write(bytes)
        let name = fixture.path + ".damaged"
        #expect(StateInput.copy(fixture.path, to: name))
        #expect(FileManager.default.contents(atPath: name).map { [UInt8]($0) } == bytes)
        #expect(try FileManager.default.attributesOfItem(atPath: name)[.posixPermissions] as? Int == 0o600)
        try fixture.write([1])
        #expect(!StateInput.copy(fixture.path, to: name) && errno == EEXIST)
        #expect(FileManager.default.contents(atPath: name)?.count == bytes.count)
        #expect(!StateInput.copy(fixture.folder.file("nothing"), to: fixture.path + ".2"))
        #expect(try fixture.names.contains("state.2") == false)
    }

    @Test("it is made with mode 0600, and nothing but the lock stays beside it")
    func mode() throws {
        let provider = try fixture.start()
        try Data("stale".utf8).write(to: URL(fileURLWithPath: fixture.path + ".tmp"))
        try provider.begin()
        provider.close()
        var status = stat()
        #expect(stat(fixture.path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        #expect(try fixture.names == ["state", "state.lock"])
    }

    @Test("the end writes it once")
    func closedOnce() throws {
        let provider = try fixture.start()
        provider.close()
        #expect(unlink(fixture.path) == 0)
        provider.close()
        #expect(try fixture.names == ["state.lock"])
    }

    @Test("what comes after the last snapshot is lost in a crash, and nothing else")
    func crash() throws {
        let first = try fixture.start()
        let (early, late) = (try first.begin(), SessionID.random())
        #expect(first.keeper?.writeNow() == 1)
        try first.begin(id: late)
        first.crash()
        let second = try fixture.start()
        #expect(second.read(early) != nil && second.read(late) == nil)
    }

    @Test("a path that can never be written is refused, with the remedy, by a start and by a check")
    func unwritable() throws {
        var fixture = fixture
        let folder = fixture.folder
        try Data().write(to: URL(fileURLWithPath: folder.file("plain")))
        try FileManager.default.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: false)
        try FileManager.default.createDirectory(atPath: folder.file("s.tmp"), withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: folder.file("plain"))
        #expect(mkfifo(folder.file("fifo"), 0o600) == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        for (path, remedy) in [
            (folder.file("missing/state"), "create the folder"), (folder.file("plain/state"), "create the folder"),
            ("/proc/self/state", "/proc/self"), (folder.file("folder"), "give the path of a file"),
            (folder.file("s"), "give the path of a file"), (folder.file("link"), "the symbolic link leads to"),
            (folder.file("fifo"), "give the path of a regular file"),
            (folder.file(String(repeating: "x", count: 250)), "File name too long"),
        ] {
            fixture.path = path
            for attempt in [{ _ = try fixture.start() }, { try MemoryProvider.StateFile(path: path).checkAccess() }] {
                let error = #expect(throws: ConfigurationError.self) { try attempt() }
                #expect(error?.field == "state")
                #expect(
                    error?.description.contains(path) == true && error?.description.contains(remedy) == true, "\(path)")
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == names)
    }

    @Test("a check finds what a start would, and leaves nothing behind")
    func check() throws {
        let file = MemoryProvider.StateFile(path: fixture.path)
        try file.checkAccess()
        #expect(try fixture.names.isEmpty)
        let first = try fixture.start()
        try first.begin()
        // Another process may have it: a start would wait for that one.
        try file.checkAccess()
        first.close()
        try file.checkAccess()
        #expect(try fixture.names == ["state", "state.lock"])
        let whole = fixture.bytes
        var header = try #require(whole.withUnsafeBytes { SnapshotHeader($0) })
        header.version = 9
        var newer: [UInt8] = []
        header.append(to: &newer)
        // One header of the two is enough, and so is a file of nothing; what follows is read by a start alone.
        let cut = Array(whole.prefix(2 * SnapshotHeader.byteCount))
        let half = [0xFF] + whole.dropFirst()
        for (bytes, objection) in [
            ([], nil), (whole, nil), (cut, nil), (half, nil), ([0], "no state file"),
            (Array(whole.dropFirst()), "no state file"), (Array("something else".utf8), "no state file"),
            ([UInt8](repeating: 0, count: 9_999), "no state file"), (newer + newer, "newer version 9"),
        ] as [([UInt8], String?)] {
            try fixture.write(bytes)
            do throws(ConfigurationError) {
                try file.checkAccess()
                #expect(objection == nil)
            } catch {
                #expect(error.field == "state" && error.description.contains(objection ?? "an error of its own"))
            }
            #expect(try fixture.bytes == bytes && fixture.names == ["state", "state.lock"])
        }
        try fixture.write(whole)
        chmod(fixture.path, 0o666)
        let error = #expect(throws: ConfigurationError.self) { try file.checkAccess() }
        #expect(error?.description.contains("others may write it (chmod 0600)") == true)
    }

    @Test("what cannot be trusted is not read, and the reason is said")
    func refused() throws {
        let first = try fixture.start()
        let id = try first.begin()
        first.close()
        chmod(fixture.path, 0o666)
        let second = try fixture.start()
        #expect(second.read(id) == nil)
        #expect(fixture.log.contains("error", "others may write it"))
        second.close()
        chmod(fixture.path, 0o600)
        if geteuid() == 0 {
            chown(fixture.path, 12_345, 12_345)
            try fixture.start().close()
            #expect(fixture.log.contains("error", "another user (id 12345)"))
        }
    }

    @Test("a damaged file is kept under another name, and one of a newer version refused")
    func kept() throws {
        let first = try fixture.start()
        let ids = try (0..<10).map { _ in try first.begin() }
        first.close()
        var bytes = fixture.bytes
        bytes[bytes.count / 2] ^= 1
        try fixture.write(bytes)
        let second = try fixture.start()
        #expect(ids.filter { second.read($0) != nil }.count == 9)
        #expect(fixture.log.contains("error", "damaged in 1 places", ".damaged"))
        second.close()
        #expect(FileManager.default.contents(atPath: fixture.path + ".damaged") == Data(bytes))
        var header = try #require(fixture.bytes.withUnsafeBytes { SnapshotHeader($0) })
        header.version = 9
        var newer: [UInt8] = []
        header.append(to: &newer)
        header.append(to: &newer)
        try fixture.write(newer)
        let error = #expect(throws: ConfigurationError.self) { try fixture.start() }
        #expect(error?.description.contains("newer version 9") == true && error?.field == "state")
        #expect(try fixture.bytes == newer && !fixture.names.contains("state.journal"))
        try fixture.write(Array("something else".utf8))
        try fixture.start().close()
        #expect(fixture.log.contains("error", "no state file"))
    }

    @Test("two providers never share one file")
    func lock() throws {
        let first = try fixture.start()
        let id = try first.begin()
        do {
            try fixture.start().close()
            Issue.record("two providers on one file")
        } catch let error as ConfigurationError {
            #expect(error.description.contains("state") && error.description.contains("another process"))
        }
        first.close()
        #expect(try fixture.start().read(id) != nil)
    }

    @Test("a new process that waits gets the old one's last snapshot")
    func handover() throws {
        let first = try fixture.start()
        let id = try first.begin()
        let fixture = fixture
        let outcome = LogLines()
        let thread = Thread {
            let next = try? fixture.start(lockTimeout: .seconds(30))
            outcome.add(next?.read(id) == nil ? "lost" : "found")
        }
        thread.start()
        first.close()
        #expect(eventually(within: 30) { !outcome.all.isEmpty })
        #expect(outcome.all == ["found"])
    }

    @Test("a provider that is dropped lets go of the file")
    func dropped() throws {
        do {
            let first = try fixture.start()
            try first.begin()
        }
        try fixture.start().close()
    }

    @Test(
        "impossible settings are refused with the field and the remedy",
        arguments: [
            (["state": ""], "state"), (["state": "/tmp/"], "state"), (["stateInterval": "5"], "state"),
            (["state": "/tmp/x", "stateInterval": "0"], "stateInterval"),
            (["state": "/tmp/x", "stateInterval": "86401"], "stateInterval"),
            (["state": "/tmp/x", "stateInterval": "soon"], "stateInterval"),
            (["state": "/tmp/x", "stateLockTimeout": "-1"], "stateLockTimeout"),
        ] as [([String: String], String)])
    func settings(parameters: [String: String], field: String) throws {
        MemoryProvider.register()
        do {
            _ = try SessionProviders.make("memory", options: SessionProviderOptions(parameters: parameters))
            Issue.record("accepted")
        } catch let error as ConfigurationError {
            #expect(error.field == field && !error.remedy.isEmpty)
        }
    }

    @Test("a registered provider has the file of its parameters")
    func registered() throws {
        MemoryProvider.register()
        let options = SessionProviderOptions(parameters: ["state": fixture.path, "stateInterval": "1"])
        let provider = try #require(try SessionProviders.make("memory", options: options) as? MemoryProvider)
        #expect(provider.keeper?.file.interval == .seconds(1))
        let id = try provider.begin()
        #expect(eventually(within: 20) { !fixture.bytes.isEmpty })
        provider.close()
        #expect(try SessionProviders.make("memory", options: options).read(id) != nil)
    }
}
