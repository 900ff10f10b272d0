import Foundation
import Galleta
import GalletaPlatform
import MemorySessions
import TestSupport
import Testing

@Suite("An application's life")
struct ApplicationServiceTests {
    private struct Failure: Error {}

    private let folder: TemporaryFolder
    private let notes = KeptLines()
    private let log = CapturedLog()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func application() throws -> Application {
        let log = log
        let app = Application(
            sessions: try SessionManager(provider: MemoryProvider()), logger: Logger(label: "test") { _ in log })
        app.accessLogger = nil
        return app
    }

    private func serve(_ app: Application) throws -> ApplicationService {
        try app.service(listeners: [.unix(path: folder.file("s.sock"))])
    }

    @Test("is let go of after its end, with all that it had: routes, sessions, workers")
    func ends() throws {
        final class Thing: Sendable {}
        weak var thing: Thing?
        weak var sessions: SessionManager?
        do {
            let app = try application()
            let own = Thing()
            (thing, sessions) = (own, app.sessions)
            let control = app.control
            app.group("/shop") { $0.get("/") { _, _ in "\(own)" } }
            let service = try serve(app)
            let isDone = Cell<Bool>()
            let serving = try SystemThread(name: "test-service") {
                _ = try? BlockingExecutor().run { try await service.run() }
                isDone.set(true)
            }
            #expect(try FastCGIClient(unix: folder.file("s.sock")).exchange("GET", "/shop").status == 200)
            control.shutdown()
            #expect(serving.join(timeout: .seconds(60)) && isDone.value == true)
        }
        #expect(eventually { thing == nil && sessions == nil })
    }

    @Test("begins with its start hooks, and ends with the shutdown hooks, the last one first, after the last answer")
    func hooks() async throws {
        let app = try application()
        let notes = notes
        let control = app.control
        app.onStart { notes.add("start 1") }
        app.onStart {
            await Task.yield()
            notes.add("start 2")
        }
        app.onShutdown {
            await Task.yield()
            notes.add("end 1")
        }
        app.onShutdown { throw Failure() }
        app.onShutdown { notes.add("end 3") }
        app.get("/stop") { _, _ in
            control.shutdown()
            notes.add("answer")
            return "\(control.statistics.requests)"
        }
        #expect(app.statistics.requests == 0)
        let service = try serve(app)
        // On a thread of its own: the pool is other tests', too.
        let failure = Cell<String>()
        let serving = try SystemThread(name: "test-service") {
            do {
                try BlockingExecutor().run { try await service.run() }
            } catch {
                failure.set("\(error)")
            }
        }
        let path = folder.file("s.sock")
        let text = try await onThread { try FastCGIClient(unix: path).exchange("GET", "/stop").text }
        #expect(text == "1")
        #expect(serving.join(timeout: .seconds(60)) && failure.value == nil)
        #expect(notes.all == ["start 1", "start 2", "answer", "end 3", "end 1"])
        #expect(app.statistics.requests == 1 && service.statistics.requests == 1)
        #expect(log.lines.contains { $0.contains("a shutdown hook failed: Failure()") })
    }

    @Test("does not begin where a start hook throws; what had begun is ended")
    func failedStart() async throws {
        let app = try application()
        let notes = notes
        app.onStart { notes.add("start") }
        app.onStart { throw Failure() }
        app.onStart { notes.add("never") }
        app.onShutdown { notes.add("end") }
        let service = try serve(app)
        await #expect(throws: Failure.self) { try await service.run() }
        #expect(notes.all == ["start", "end"])
    }

    @Test("ends when its task is cancelled, after what is in flight")
    func cancellation() throws {
        let app = try application()
        let (hasBegun, mayEnd) = (Rendezvous(2), Rendezvous(2))
        app.get("/slow") { _, _ in
            hasBegun.meet()
            mayEnd.meet()
            return "whole"
        }
        let service = try serve(app)
        let (cancellations, cancel) = AsyncStream<Void>.makeStream()
        let failure = Cell<String>()
        // Not in the pool, which is other tests', too.
        let serving = try SystemThread(name: "test-service") {
            do {
                try BlockingExecutor().run {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await service.run() }
                        _ = await cancellations.first { true }
                        group.cancelAll()
                        try await group.waitForAll()
                    }
                }
            } catch {
                failure.set("\(error)")
            }
        }
        let client = try FastCGIClient(unix: folder.file("s.sock"))
        try client.send(FastCGIRecord.request("GET", "/slow"))
        hasBegun.meet()
        cancel.yield()
        mayEnd.meet()
        #expect(try client.reply().text == "whole")
        #expect(serving.join(timeout: .seconds(60)) && failure.value == nil)
    }

    @Test("gives each request a logger with its id, and other loggers the id where they ask for it")
    func logging() throws {
        let (own, others) = (KeptLines(), KeptLines())
        let other = Logger(label: "other") { _ in KeepingHandler(lines: others, metadataProvider: .galleta) }
        let app = Application(
            sessions: try SessionManager(provider: MemoryProvider()),
            logger: Logger(label: "own") { _ in KeepingHandler(lines: own) })
        app.accessLogger = nil
        let server = try RunningServer { listener, _ in
            app.providesLogMetadata = true
            app.get("/sync") { request, _ in
                request.logger.notice("own")
                other.notice("sync")
                return ""
            }
            app.get("/async") { _, _ async in
                async let child: Void = other.notice("async")
                await child
                return ""
            }
            return try app.server(listeners: [listener])
        }
        let client = try server.client()
        for path in ["/sync", "/async"] { _ = try client.exchange("GET", path, [("REQUEST_ID", "id-7\n")]) }
        other.notice("outside")
        #expect(own.all.contains("own [request_id: id-7?]"))
        #expect(others.all == ["sync [request_id: id-7?]", "async [request_id: id-7?]", "outside []"])
    }
}

/// Waits for what blocks, without a thread of the pool that others need.
private func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        do {
            _ = try SystemThread(name: "test") { continuation.resume(with: Result { try body() }) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

private final class KeptLines: Sendable {
    private let lines = Locked<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

/// Keeps lines with all of their metadata.
private struct KeepingHandler: LogHandler {
    let lines: KeptLines
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.trace

    init(lines: KeptLines, metadataProvider: Logger.MetadataProvider? = nil) {
        self.lines = lines
        self.metadataProvider = metadataProvider
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        lines.add("\(event.message) [\(all.map { "\($0): \($1)" }.sorted().joined(separator: ", "))]")
    }
}
