public import FastCGI
import GalletaPlatform
public import Logging

/// A server in this process, on a unix socket in a folder of its own; it stops when nobody holds it any more.
///
/// Threading: any thread.
public final class RunningServer: Sendable {
    public let server: Server
    /// The path of its socket.
    public let socket: String
    private let folder: TemporaryFolder
    private let thread: SystemThread

    /// - Parameters:
    ///   - log: What the server logs; nothing is kept without.
    ///   - make: Makes the server, with this listener.
    public init(log: CapturedLog? = nil, _ make: (Listener, Logger) throws -> Server) throws {
        folder = try TemporaryFolder()
        socket = folder.file("s.sock")
        let handler: any LogHandler = if let log { log } else { SwiftLogNoOpLogHandler() }
        let server = try make(.unix(path: socket), Logger(label: "test") { _ in handler })
        self.server = server
        thread = try SystemThread(name: "test-server") { try? server.run() }
    }

    /// A connection, which keeps the server alive as long as itself.
    public func client() throws -> FastCGIClient {
        let client = try FastCGIClient(unix: socket)
        client.companion = self
        return client
    }

    /// Stops as a signal would; true if it ended within the time.
    @discardableResult
    public func stop(within timeout: Duration = .seconds(20)) -> Bool {
        server.shutdown()
        return hasStopped(within: timeout)
    }

    /// Waits for the end of a stop.
    public func hasStopped(within timeout: Duration) -> Bool { thread.join(timeout: timeout) }

    deinit {
        server.shutdown()
        server.shutdown()
        _ = thread.join(timeout: .seconds(20))
    }
}
