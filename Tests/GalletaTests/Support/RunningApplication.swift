import Galleta
import GalletaPlatform
import Logging
import MemorySessions
import TestSupport

/// An application in this process, with sessions in memory, behind a unix socket.
final class RunningApplication: Sendable {
    private let running: RunningServer
    let log = CapturedLog()

    init(
        provider: (any SessionProvider)? = nil,
        mount: String = "/",
        workers: Int = 2,
        server adjustServer: (inout Server.Configuration) -> Void = { _ in },
        adjust: (inout SessionConfiguration) -> Void = { _ in },
        _ build: (Application) -> Void
    ) throws {
        running = try RunningServer(log: log) { listener, logger in
            var configuration = Server.Configuration()
            configuration.workers = workers
            configuration.mount = try MountPoint(mount)
            adjustServer(&configuration)
            var sessions = SessionConfiguration()
            sessions.logger = logger
            adjust(&sessions)
            let application = Application(
                sessions: try SessionManager(provider: provider ?? MemoryProvider(), configuration: sessions),
                configuration: configuration,
                logger: logger
            )
            application.accessLogger = nil
            build(application)
            return try application.server(listeners: [listener])
        }
    }

    var socket: String { running.socket }

    /// A connection, which keeps the application alive as long as itself.
    func client() throws -> FastCGIClient { try running.client() }

    /// Says what the server is doing.
    var status: ServerStatus { running.server.status(requests: 10) }

    /// Begins a stop, as a signal would.
    func shutdown() { running.server.shutdown() }

    func hasStopped(within timeout: Duration) -> Bool { running.hasStopped(within: timeout) }
}
