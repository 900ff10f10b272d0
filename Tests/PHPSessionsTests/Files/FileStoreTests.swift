import Foundation
import GalletaPlatform
import PHPSerialization
import Testing

@testable import PHPSessions

@Suite("PHP's session files")
struct FileStoreTests {
    @Test("a session is read, written, touched and removed in its own file")
    func record() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        #expect(try store.open(folder.id, until: .patient) == nil)
        #expect(folder.names == [])
        try folder.put("a|i:1;long|s:20:\"aaaaaaaaaaaaaaaaaaaa\";")
        let inode = folder.inode
        let session = try #require(try store.open(folder.id, until: .patient))
        #expect(session.bytes == Array(folder.text!.utf8))
        #expect(try session.write(Array("a|i:2;".utf8), lastUse: nil))
        #expect(folder.text == "a|i:2;")
        #expect(try store.open(folder.id, until: .patient)?.write(Array("a|i:22222222;".utf8), lastUse: nil) == true)
        #expect(folder.text == "a|i:22222222;")
        #expect(try store.read(folder.id, until: .patient)?.bytes == Array("a|i:22222222;".utf8))
        #expect(folder.inode == inode)
        #expect(try store.open(folder.id, until: .patient)?.remove() == true)
        #expect(folder.names == [])
    }

    @Test("a session that is used and not changed is touched, one that is only read is not")
    func touching() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        try folder.put("a|i:1;")
        let old = Date(timeIntervalSince1970: 1_000_000_000)
        #expect(try folder.modified(old) == old)
        _ = try store.read(folder.id, until: .patient)
        try store.open(folder.id, until: .patient)?.release()
        #expect(try folder.modified() == old)
        #expect(try store.open(folder.id, until: .patient)?.write(Array("a|i:1;".utf8), lastUse: nil) == true)
        #expect(try folder.modified() != old)
        _ = try folder.modified(old)
        #expect(try store.open(folder.id, until: .patient)?.touch() == true)
        #expect(try folder.modified() != old)
    }

    @Test("a session that was removed meanwhile does not come to life again")
    func removed() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        for end in [{ try $0.write([1], lastUse: nil) }, { try $0.touch() }, { try $0.remove() }]
            as [(any PHPSessionRecord) throws -> Bool]
        {
            try folder.put("a|i:1;")
            let session = try #require(try store.open(folder.id, until: .patient))
            try folder.removeFile()
            #expect(try end(session) == false)
            #expect(folder.names == [])
        }
    }

    @Test("a session that was let go is no longer written")
    func letGo() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        try folder.put("a|i:1;")
        let session = try #require(try store.open(folder.id, until: .patient))
        #expect(try session.touch())
        #expect(throws: PHPSessionStoreError.self) { try session.write([1], lastUse: nil) }
        #expect(folder.text == "a|i:1;")
    }

    @Test("a session is made once, as PHP makes it")
    func creating() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        let session = try #require(try store.create(folder.id, until: .patient))
        #expect(session.bytes == [])
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try store.create(folder.id, until: .patient) == nil)
        #expect(throws: PHPSessionStoreError.self) { try store.open(folder.id, until: .impatient) }
        #expect(try session.write(Array("a|i:1;".utf8), lastUse: nil))
        #expect(try store.read(folder.id, until: .patient)?.bytes == Array("a|i:1;".utf8))
    }

    @Test("only what PHP takes for an id leads to a file")
    func ids() {
        for text in ["", "../x", "a/b", "a.b", "a b", "é", "a\0", String(repeating: "a", count: 257), "a\n"] {
            #expect(PHPSessionID(ByteString(text)) == nil)
        }
        #expect(PHPSessionID("aZ09,-")?.text == "aZ09,-")
        let path = SavePath("/tmp")
        #expect(path?.file(of: PHPSessionID(ByteString(String(repeating: "a", count: 250)))!) != nil)
        #expect(path?.file(of: PHPSessionID(ByteString(String(repeating: "a", count: 251)))!) == nil)
        #expect("\(PHPSessionID("secret")!)".contains("secret") == false)
    }

    @Test("a path is read as PHP reads it")
    func savePaths() throws {
        let id = PHPSessionID("abcdef")!
        #expect(SavePath("/x")?.file(of: id) == "/x/sess_abcdef")
        #expect(SavePath("2;/x")?.file(of: id) == "/x/a/b/sess_abcdef")
        #expect(SavePath("1;0640;/x") == SavePath("1;640;/x"))
        #expect(SavePath("1;0640;/x")?.mode == 0o640)
        #expect(SavePath("6;/x")?.file(of: id) == nil)
        for text in ["", "a;/x", "-1;/x", "1;9;/x", "1;", "1;600;"] { #expect(SavePath(text) == nil) }
        let error = #expect(throws: ConfigurationError.self) { try FileStore(.init(savePath: "x;/y")) }
        #expect(error?.field == "savePath")
        var configuration = FileStore.Configuration(savePath: "/x")
        configuration.maxBytes = 0
        #expect(throws: ConfigurationError.self) { try FileStore(configuration) }
        configuration.maxBytes = 1
        configuration.maxWaiters = -1
        #expect(throws: ConfigurationError.self) { try FileStore(configuration) }
    }

    @Test("what is no regular file, or too long, is refused and stays")
    func refused() throws {
        let folder = try SessionFolder()
        let store = try folder.store(maxBytes: 10)
        let target = folder.path + "/other"
        try Data("a|i:1;".utf8).write(to: URL(fileURLWithPath: target))
        let makers: [() throws -> Void] = [
            { try FileManager.default.createSymbolicLink(atPath: folder.file, withDestinationPath: target) },
            { try FileManager.default.createDirectory(atPath: folder.file, withIntermediateDirectories: false) },
            { #expect(mkfifo(folder.file, 0o600) == 0) },
            { try folder.put("a|i:1234567;") },
        ]
        for make in makers {
            try make()
            let error = #expect(throws: PHPSessionStoreError.self) { try store.open(folder.id, until: .patient) }
            #expect(error?.code == .refused)
            try folder.removeFile()
        }
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "a|i:1;")
    }

    @Test("a file of another user is refused, as by PHP", .enabled(if: geteuid() == 0))
    func otherUser() throws {
        let folder = try SessionFolder()
        try folder.put("a|i:1;")
        #expect(chown(folder.file, 65_534, 65_534) == 0)
        let error = #expect(throws: PHPSessionStoreError.self) { try folder.store().open(folder.id, until: .patient) }
        #expect(error?.code == .refused)
    }

    @Test("a session that does not fit on the disk stays as it was", .enabled(if: SmallDisk.canBeMade))
    func full() throws {
        let disk = try #require(SmallDisk())
        let folder = try SessionFolder(in: disk.path)
        let store = try folder.store()
        try folder.put("a|i:1;")
        let session = try #require(try store.open(folder.id, until: .patient))
        let error = #expect(throws: PHPSessionStoreError.self) {
            try session.write(Array("a|s:100000:\"\(String(repeating: "x", count: 100_000))\";".utf8), lastUse: nil)
        }
        #expect(error?.code == .failed)
        #expect(folder.text == "a|i:1;")
        #expect(try store.open(folder.id, until: .patient)?.write(Array("a|i:2;b|i:1;".utf8), lastUse: nil) == true)
        #expect(folder.text == "a|i:2;b|i:1;")
    }

    @Test("who waits gives up at the deadline, and at once when too many wait")
    func busy() throws {
        let folder = try SessionFolder()
        let store = try folder.store(maxWaiters: 1)
        try folder.put("a|i:1;")
        let session = try #require(try store.open(folder.id, until: .patient))
        var error = #expect(throws: PHPSessionStoreError.self) { try store.open(folder.id, until: .impatient) }
        #expect(error?.code == .busy)
        error = #expect(throws: PHPSessionStoreError.self) { try store.read(folder.id, until: .impatient) }
        #expect(error?.code == .busy)
        let waiter = Thread {
            _ = try? store.open(folder.id, until: .patient)?.write(Array("a|i:9;".utf8), lastUse: nil)
        }
        waiter.start()
        #expect(eventually { store.waiterCount(of: folder.id) == 1 })
        error = #expect(throws: PHPSessionStoreError.self) { try store.open(folder.id, until: .patient) }
        #expect(error?.code == .busy)
        session.release()
        #expect(eventually { folder.text == "a|i:9;" })
        #expect(eventually { store.waiterCount(of: folder.id) == 0 })
    }

    @Test("who waited for a session that is removed finds none, or the new one of that name")
    func removedWhileWaiting() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        for successor in [nil, "b|i:2;"] {
            try folder.put("a|i:1;")
            let session = try #require(try store.open(folder.id, until: .patient))
            let found = Locked<[[UInt8]?]>([])
            let waiter = Thread {
                let bytes = try? store.open(folder.id, until: .patient)?.bytes
                found.withLock { $0.append(bytes) }
            }
            waiter.start()
            #expect(eventually { store.waiterCount(of: folder.id) == 1 })
            if let successor {
                try folder.removeFile()
                try folder.put(successor)
                session.release()
            } else {
                #expect(try session.remove())
            }
            #expect(eventually { found.withLock { $0.count } == 1 })
            #expect(found.withLock { $0[0] } == successor.map { Array($0.utf8) })
            #expect(folder.text == successor)
        }
    }

    private func eventually(_ condition: () -> Bool) -> Bool {
        let deadline = BootInstant.patient
        while BootInstant.now < deadline {
            if condition() { return true }
            sched_yield()
        }
        return condition()
    }
}

@Suite("PHP's session files, with PHP", .enabled(if: PHPPage.isThere))
struct FileStoreWithPHPTests {
    @Test("no change is lost between pages of PHP and threads of ours")
    func noLostUpdates() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        let times = 200
        try folder.put("")
        let pages = try (0..<2).map { _ in try PHPPage(folder.path, folder.id.text, "count", "\(times)") }
        let threads = 2
        let done = Locked<(ended: Int, failures: [String])>((0, []))
        for _ in 0..<threads {
            Thread {
                do {
                    for _ in 0..<times { try Self.count(store, folder.id) }
                } catch {
                    done.withLock { $0.failures.append("\(error)") }
                }
                done.withLock { $0.ended += 1 }
            }.start()
        }
        for page in pages { #expect(try page.finish() == "") }
        let deadline = BootInstant.patient
        while done.withLock({ $0.ended }) < threads, BootInstant.now < deadline { sched_yield() }
        #expect(done.withLock { $0.failures } == [])
        let document = try PHPDocument(Array(try #require(folder.text).utf8), format: .php)
        #expect(try document.value("php")?.int == 2 * times)
        #expect(try document.value("swift")?.int == threads * times)
        #expect(try document.value("both")?.int == (2 + threads) * times)
    }

    static func count(_ store: any PHPSessionStore, _ id: PHPSessionID) throws {
        guard let session = try store.open(id, until: .patient) else { throw PHPSessionStoreError.busy }
        var document = try PHPDocument(session.bytes, format: .php)
        for name in ["swift", "both"] as [ByteString] {
            try document.set(name, to: PHPValue((document.value(name)?.int ?? 0) + 1))
        }
        guard try session.write(document.encoded(), lastUse: nil) else { throw PHPSessionStoreError.busy }
    }

    @Test("a page that has the session keeps us waiting, and what it wrote is read then")
    func pageFirst() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        try folder.put("a|i:1;")
        let page = try PHPPage(folder.path, folder.id.text, "hold")
        #expect(page.awaitHeld())
        let error = #expect(throws: PHPSessionStoreError.self) { try store.open(folder.id, until: .impatient) }
        #expect(error?.code == .busy)
        try page.tell("set b two")
        #expect(try page.finish() == "")
        #expect(try store.open(folder.id, until: .patient)?.bytes == Array("a|i:1;b|s:3:\"two\";".utf8))
    }

    @Test("a log-out in PHP while we wait leaves no session")
    func destroyed() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        try folder.put("a|i:1;")
        let page = try PHPPage(folder.path, folder.id.text, "hold")
        #expect(page.awaitHeld())
        // PHP gives its lock back before it removes the file: one who waited may get what is about to go.
        let written = Locked<Bool?>(nil)
        let isGone = Locked(false)
        Thread {
            let session = try? store.open(folder.id, until: .patient)
            while !isGone.withLock({ $0 }) { sched_yield() }
            let isWritten = (try? session?.write(Array("a|i:2;".utf8), lastUse: nil)) ?? false
            written.withLock { $0 = isWritten }
        }.start()
        let deadline = BootInstant.patient
        while store.waiterCount(of: folder.id) == 0, BootInstant.now < deadline { sched_yield() }
        try page.tell("destroy")
        _ = try page.finish()
        isGone.withLock { $0 = true }
        while written.withLock({ $0 }) == nil, BootInstant.now < deadline { sched_yield() }
        #expect(written.withLock { $0 } == false)
        #expect(folder.names == [])
    }

    @Test("PHP waits for us, and reads what we wrote")
    func weFirst() throws {
        let folder = try SessionFolder()
        let store = try folder.store()
        try folder.put("a|i:1;")
        let session = try #require(try store.open(folder.id, until: .patient))
        let page = try PHPPage(folder.path, folder.id.text, "dump")
        #expect(try session.write(Array("a|i:2;b|a:1:{i:0;d:0.5;}".utf8), lastUse: nil))
        #expect(try page.finish() == "a:2:{s:1:\"a\";i:2;s:1:\"b\";a:1:{i:0;d:0.5;}}")
    }

    @Test("a session that was made here is one for PHP")
    func made() throws {
        let folder = try SessionFolder()
        let session = try #require(try folder.store().create(folder.id, until: .patient))
        #expect(try session.write(Array("user|s:4:\"jana\";".utf8), lastUse: nil))
        #expect(try PHPPage(folder.path, folder.id.text, "dump").finish() == "a:1:{s:4:\"user\";s:4:\"jana\";}")
    }
}
