import Galleta
import GalletaPlatform
import Glibc
import TestSupport
import Testing

@testable import MemorySessions

@Suite("Requests that log in or out, with a journal")
struct JournaledRequestTests {
    /// The system's disk, whose syncs can be held up, and fail.
    private final class HeldDisk: StateDisk, Sendable {
        private let system = SystemDisk()
        let isHeld = Monitor(false)
        let fails = Locked(false)

        func create(_ path: String) -> Int32 { system.create(path) }
        func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { system.write(file, bytes) }
        func rename(_ path: String, to new: String) -> Int32 { system.rename(path, to: new) }
        func unlink(_ path: String) -> Int32 { system.unlink(path) }
        func syncFolder(of path: String) -> Int32 { system.syncFolder(of: path) }

        func sync(_ file: Int32) -> Int32 {
            isHeld.wait(until: { !$0 }, timeout: .seconds(60)) { _ in }
            return fails.withLock { $0 } ? -1 : system.sync(file)
        }

        func hold(_ isHeld: Bool) {
            self.isHeld.withLock { $0 = isHeld }
            self.isHeld.wake()
        }
    }

    private let folder: TemporaryFolder
    private let disk = HeldDisk()
    private let provider: MemoryProvider

    init() throws {
        folder = try TemporaryFolder()
        var configuration = MemoryProvider.Configuration()
        configuration.state = .init(path: folder.file("state"))
        configuration.state?.disk = disk
        provider = try MemoryProvider(configuration: configuration)
    }

    private func application() throws -> RunningApplication {
        try RunningApplication(provider: provider, workers: 1) { app in
            app.get("/plain") { _, _ in "plain" }
            app.get("/count") { _, session in "\(try session.update("n", default: 0) { $0 += 1; return $0 })" }
            app.on(.get, "/in") { _, session in
                try session.logIn(user: "ada")
                return "in"
            } async: { _, session in
                try session.logIn(user: "ada")
                await Task.yield()
                return "in"
            }
            app.get("/async/in") { _, session in
                await Task.yield()
                try session.logIn(user: "ada")
                return "in"
            }
            app.get("/out") { _, session in
                try session.destroy()
                return "out"
            }
            app.get("/out-and-fail") { _, session in
                try session.destroy()
                throw HTTPError(.badRequest)
            }
            app.get("/others") { _, session in "\(try session.endOtherUserSessions())" }
            app.get("/rotate") { _, session in
                try session.rotate()
                return "rotated"
            }
        }
    }

    private func logIn(_ application: RunningApplication) throws -> (String, String) {
        let reply = try application.client().exchange("GET", "/in")
        return ("HTTP_COOKIE", try #require(reply.sessionCookie))
    }

    @Test(
        "hold no worker and are not answered, until they are on the disk",
        arguments: [
            ("/in", 8), ("/async/in", 8), ("/out", 8), ("/out-and-fail", 8), ("/rotate", 8), ("/others", 1),
        ])
    func parked(path: String, clients count: Int) throws {
        let application = try application()
        let cookies = try (0..<8).map { _ in try logIn(application) }.prefix(count)
        disk.hold(true)
        let clients = try cookies.map { cookie in
            let client = try application.client()
            try client.send(FastCGIRecord.request("GET", path, [cookie]))
            return client
        }
        // One worker: it answers others, those with a session too.
        let other = try application.client()
        for _ in 0..<50 {
            #expect(try other.exchange("GET", "/plain").text == "plain")
            #expect(try other.exchange("GET", "/count").status == 200)
        }
        for client in clients { #expect(try !client.isAnswered) }
        disk.hold(false)
        for client in clients {
            #expect(try client.reply().status == (path == "/out-and-fail" ? 400 : 200))
        }
    }

    @Test("wait, too, where another request has ended the session a moment ago")
    func twice() throws {
        let application = try application()
        let cookie = try logIn(application)
        disk.hold(true)
        let clients = try (0..<4).map { _ in
            let client = try application.client()
            try client.send(FastCGIRecord.request("GET", "/out", [cookie]))
            return client
        }
        #expect(eventually { provider.count() == 0 })
        let other = try application.client()
        for _ in 0..<50 { #expect(try other.exchange("GET", "/plain").text == "plain") }
        for client in clients { #expect(try !client.isAnswered) }
        disk.hold(false)
        for client in clients { #expect(try client.reply().status == 200) }
    }

    @Test("are told of a disk that fails: a log-out is done and 500, a log-in is not and 503")
    func failed() throws {
        let application = try application()
        let (leaving, failing) = (try logIn(application), try logIn(application))
        disk.fails.withLock { $0 = true }
        let client = try application.client()
        let out = try client.exchange("GET", "/out", [leaving])
        #expect(out.status == 500 && out["Set-Cookie"]?.contains("Max-Age=0") == true)
        #expect(try client.exchange("GET", "/out-and-fail", [failing]).status == 500)
        for path in ["/in", "/async/in"] {
            let reply = try client.exchange("GET", path)
            #expect(reply.status == 503 && reply["Retry-After"] != nil && reply["Set-Cookie"] == nil)
        }
        #expect(provider.sessions(of: "ada", current: nil, limit: 9).total == 0)
        #expect(try client.exchange("GET", "/count").status == 200)
    }
}

extension FastCGIClient {
    /// Whether there is something to read by now.
    fileprivate var isAnswered: Bool {
        get throws {
            var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, 0) > 0
        }
    }
}
