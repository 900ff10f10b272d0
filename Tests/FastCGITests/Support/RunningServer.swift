import FastCGI
import GalletaPlatform
import Glibc
import Logging
import TestSupport

/// A server in this process, on a unix socket in a folder of its own.
final class RunningServer: Sendable {
    let server: Server
    let path: String
    private let folder: TemporaryFolder
    private let thread: SystemThread

    init(
        _ configure: (inout Server.Configuration) -> Void = { _ in },
        observer: Server.Observer? = nil,
        log: CapturedLog? = nil,
        handler: @escaping Server.Handler
    ) throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sock")
        var configuration = Server.Configuration()
        configuration.workers = 2
        configuration.shutdownGrace = .seconds(5)
        configure(&configuration)
        let logHandler: any LogHandler = if let log { log } else { SwiftLogNoOpLogHandler() }
        let logger = Logger(label: "test") { _ in logHandler }
        let server = try Server(
            configuration: configuration,
            listeners: [.unix(path: path)],
            logger: logger,
            observer: observer,
            handler: handler
        )
        self.server = server
        thread = try SystemThread(name: "test-server") { try? server.run() }
    }

    /// A connection, which keeps the server alive as long as itself.
    func client() throws -> FastCGIClient {
        let client = try FastCGIClient(unix: path)
        client.companion = self
        return client
    }

    /// Stops as a signal would; true if it ended within the time.
    @discardableResult
    func stop(within timeout: Duration = .seconds(20)) -> Bool {
        server.shutdown()
        return thread.join(timeout: timeout)
    }

    deinit {
        server.shutdown()
        server.shutdown()
        _ = thread.join(timeout: .seconds(20))
    }
}
