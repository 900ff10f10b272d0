internal import FastCGI
internal import Galleta
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import MemorySessions
internal import Sessions
internal import Synchronization

/// An application that serves its own process, from the start of a test to its end.
///
/// All of it is the server of production, on its own threads; only the listener is missing: each request comes by a pair of
/// sockets of its own.
///
/// Threading: any thread.
final class TestServer: Sendable {
    let sessions: SessionManager
    /// Where the application is mounted.
    let mount: String
    /// What the lifetime of cookies is measured with.
    let clock: SessionClock
    let book: RequestBook
    private let service: ApplicationService
    private let lastID = Atomic<Int>(0)

    private struct Connections {
        var open: [ObjectIdentifier: TestConnection] = [:]
        /// Not begun, or ended.
        var isOver = true
    }

    private let connections = Locked(Connections())

    /// How long the end of a test waits for handlers that still run.
    private static let grace = Duration.seconds(1)

    /// Made, but not started.
    ///
    /// - Throws: `ConfigurationError` of the application's configuration.
    init(_ application: Application, clock: SessionClock?) throws {
        sessions = application.sessions
        mount = application.configuration.mount.path
        self.clock = clock ?? (sessions.provider as? MemoryProvider)?.clock ?? .boot
        let book = RequestBook()
        self.book = book
        let logger = Logger(label: application.logger.label) { _ in
            RequestLogHandler(application.logger.handler, book)
        }
        service = try application.serviceInProcess(shutdownGrace: Self.grace, logger: logger) { summary in
            if let id = summary.requestID { book.end(id) }
        }
    }

    /// Runs the application's start hooks and serves from now on.
    func start() throws {
        try service.start()
        connections.withLock { $0.isOver = false }
    }

    deinit {
        if !connections.withLock({ $0.isOver }) { try? stop() }
    }

    /// An id for a request.
    func nextID() -> String { "test-\(lastID.add(1, ordering: .relaxed).newValue)" }

    /// Sends the records of a request by a connection of its own.
    func connect(_ records: [UInt8]) throws -> TestConnection {
        guard !connections.withLock({ $0.isOver }) else { throw TestClientError(.ended) }
        let connection = TestConnection(try service.server.connect(), records)
        let isOver = connections.withLock { connections in
            if !connections.isOver { connections.open[ObjectIdentifier(connection)] = connection }
            return connections.isOver
        }
        guard !isOver else {
            connection.close()
            throw TestClientError(.ended)
        }
        return connection
    }

    /// Ends a connection, whatever it still carries.
    func close(_ connection: TestConnection) {
        connections.withLock { $0.open[ObjectIdentifier(connection)] = nil }
        connection.close()
    }

    /// Ends connections that are still open, waits a second for handlers that still run, and ends all threads; then runs the
    /// application's shutdown hooks.
    ///
    /// - Throws: ``TestClientError`` when some of them did not return.
    func stop() throws(TestClientError) {
        let left = connections.withLock { connections in
            connections.isOver = true
            defer { connections.open = [:] }
            return connections.open.values.map { $0 }
        }
        for connection in left { connection.close() }
        service.shutdown()
        // The grace was the handlers' time; threads that have nothing left to do end late where the machine is busy.
        let stuck = service.finish()
        guard stuck == 0 else { throw TestClientError(.stuck(stuck)) }
    }
}
