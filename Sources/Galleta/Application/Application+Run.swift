internal import Dispatch
public import FastCGI
internal import Glibc

extension Application {
    /// Serves until SIGTERM, SIGINT or SIGUSR1, then finishes what is in flight and returns. A second signal cuts that
    /// short.
    ///
    /// - Parameter listeners: Where connections come from; by default the sockets that spawn-fcgi or systemd left.
    /// - Throws: `ConfigurationError` or `ListenerError` that names the field and the remedy; the latter, too, when
    ///   another process serves an inherited socket and the provider's sessions are local to a process.
    public func run(listeners: [Listener]? = nil) throws {
        let listeners = try listeners ?? Listener.inherited()
        if sessions.provider.isLocalToProcess, !allowsManyProcesses {
            for listener in listeners { try listener.claim(logger: logger) }
        }
        let server = try Server(
            configuration: configuration,
            listeners: listeners,
            logger: logger,
            observer: accessLogger.flatMap(AccessLog.observer),
            handler: handler()
        )
        // A file at its size limit (a log, the sessions' state) is to be an error of write(2), not the process's end.
        signal(SIGXFSZ, SIG_IGN)
        let signals = StopSignals { server.shutdown() }
        defer { signals.cancel() }
        try server.run()
        sessions.provider.close()
        LogWriter.standardError.flush()
    }

    /// Serves on one address; see ``run(listeners:)``.
    ///
    /// - Parameter address: `unix:/run/app.sock` or `tcp:127.0.0.1:9000`.
    public func run(listen address: String) throws {
        try run(listeners: [Listener.at(address)])
    }
}

/// The signals that ask a server to stop, on a Dispatch source each.
final class StopSignals: @unchecked Sendable {
    // Safe: Dispatch sources are thread-safe, and the list never changes.
    private let sources: [any DispatchSourceSignal]

    init(_ stop: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "galleta.signals")
        sources = [SIGTERM, SIGINT, SIGUSR1].map { number in
            // The default action would end the process before the source is told.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler(handler: stop)
            source.resume()
            return source
        }
    }

    func cancel() {
        sources.forEach { $0.cancel() }
    }

    deinit {
        // A retained source that is dropped uncancelled would go on calling.
        cancel()
    }
}
