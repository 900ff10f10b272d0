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

    convenience init(
        _ configure: (inout Server.Configuration) -> Void = { _ in },
        observer: Server.Observer? = nil,
        log: CapturedLog? = nil,
        admission: Server.Admission? = nil,
        handler: @escaping Server.Handler
    ) throws {
        try self.init(configure, log: log) { configuration, listener, logger in
            try Server(
                configuration: configuration, listeners: [listener], logger: logger, observer: observer,
                admission: admission, handler: handler)
        }
    }

    convenience init(
        _ configure: (inout Server.Configuration) -> Void = { _ in },
        observer: Server.Observer? = nil,
        log: CapturedLog? = nil,
        asyncHandler: @escaping Server.AsyncHandler
    ) throws {
        try self.init(configure, log: log) { configuration, listener, logger in
            try Server(
                configuration: configuration, listeners: [listener], logger: logger, observer: observer,
                asyncHandler: asyncHandler)
        }
    }

    private init(
        _ configure: (inout Server.Configuration) -> Void, log: CapturedLog?,
        _ make: (Server.Configuration, Listener, Logger) throws -> Server
    ) throws {
        folder = try TemporaryFolder()
        path = folder.file("s.sock")
        var configuration = Server.Configuration()
        configuration.workers = 2
        configuration.shutdownGrace = .seconds(5)
        configure(&configuration)
        let logHandler: any LogHandler = if let log { log } else { SwiftLogNoOpLogHandler() }
        let logger = Logger(label: "test") { _ in logHandler }
        let server = try make(configuration, .unix(path: path), logger)
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
