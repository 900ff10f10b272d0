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
    /// What the lifetime of cookies is measured with.
    let clock: SessionClock
    let book: RequestBook
    private let server: Server
    private let lastID = Atomic<Int>(0)

    private struct Connections {
        var open: [ObjectIdentifier: TestConnection] = [:]
        var isOver = false
    }

    private let connections = Locked(Connections())

    /// How long the end of a test waits for handlers that still run.
    private static let grace = Duration.seconds(1)

    /// - Throws: `ConfigurationError` of the application's configuration.
    init(_ application: Application, clock: SessionClock?) throws {
        sessions = application.sessions
        self.clock = clock ?? (sessions.provider as? MemoryProvider)?.clock ?? .boot
        let book = RequestBook()
        self.book = book
        let logger = Logger(label: application.logger.label) { _ in
            RequestLogHandler(application.logger.handler, book)
        }
        server = try application.serverInProcess(shutdownGrace: Self.grace, logger: logger) { summary in
            if let id = summary.requestID { book.end(id) }
        }
        _ = try server.start()
    }

    deinit {
        if !connections.withLock({ $0.isOver }) { try? stop() }
    }

    /// An id for a request.
    func nextID() -> String { "test-\(lastID.add(1, ordering: .relaxed).newValue)" }

    /// Sends the records of a request by a connection of its own.
    func connect(_ records: [UInt8]) throws -> TestConnection {
        guard !connections.withLock({ $0.isOver }) else { throw TestClientError(.ended) }
        let connection = TestConnection(try server.connect(), records)
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

    /// Ends connections that are still open, waits a second for handlers that still run, and ends all threads.
    ///
    /// - Throws: ``TestClientError`` when some of them did not return.
    func stop() throws(TestClientError) {
        let left = connections.withLock { connections in
            connections.isOver = true
            defer { connections.open = [:] }
            return connections.open.values.map { $0 }
        }
        for connection in left { connection.cancel() }
        server.shutdown()
        let stuck = server.finish(patience: .milliseconds(100))
        guard stuck == 0 else { throw TestClientError(.stuck(stuck)) }
    }
}
