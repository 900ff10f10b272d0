import Galleta
import GalletaPlatform
import Logging
import MemorySessions
import TestSupport

/// An application in this process, with sessions in memory, behind a unix socket.
final class RunningApplication: Sendable {
    private let server: Server
    private let folder: TemporaryFolder
    private let thread: SystemThread
    let log = CapturedLog()

    init(
        provider: (any SessionProvider)? = nil,
        mount: String = "/",
        workers: Int = 2,
        server adjustServer: (inout Server.Configuration) -> Void = { _ in },
        adjust: (inout SessionConfiguration) -> Void = { _ in },
        _ build: (Application) -> Void
    ) throws {
        folder = try TemporaryFolder()
        var configuration = Server.Configuration()
        configuration.workers = workers
        configuration.mount = try MountPoint(mount)
        adjustServer(&configuration)
        let log = log
        let logger = Logger(label: "test") { _ in log }
        var sessions = SessionConfiguration()
        sessions.logger = logger
        adjust(&sessions)
        let application = Application(
            sessions: try SessionManager(provider: provider ?? MemoryProvider(), configuration: sessions),
            configuration: configuration,
            logger: logger
        )
        build(application)
        application.accessLogger = nil
        let server = try application.server(listeners: [.unix(path: folder.file("s.sock"))])
        self.server = server
        thread = try SystemThread(name: "test-app") { try? server.run() }
    }

    var socket: String { folder.file("s.sock") }

    /// A connection, which keeps the application alive as long as itself.
    func client() throws -> FastCGIClient {
        let client = try FastCGIClient(unix: folder.file("s.sock"))
        client.companion = self
        return client
    }

    deinit {
        server.shutdown()
        server.shutdown()
        _ = thread.join(timeout: .seconds(20))
    }
}
