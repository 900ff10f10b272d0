internal import Dispatch
public import FastCGI
internal import Glibc

extension Application {
    /// Serves until SIGTERM, SIGINT, SIGQUIT or SIGUSR1, then finishes what is in flight, saves the sessions and returns. A
    /// second signal cuts short what is in flight. SIGHUP runs the ``onReload(_:)`` hooks; SIGUSR2 is logged and ignored,
    /// SIGPIPE ignored.
    ///
    /// These signals stay taken after the return: what follows is the end of the process, and nothing shall cut it off.
    ///
    /// - Parameter listeners: Where connections come from; by default the sockets that spawn-fcgi or systemd left.
    /// - Throws: `ConfigurationError` or `ListenerError` that names the field and the remedy; the latter, too, when
    ///   another process serves an inherited socket and the provider's sessions are local to a process.
    public func run(listeners: [Listener]? = nil) throws {
        // A reload asked for during a long start is what the start does anyway; by default it would end the process.
        ProcessSignals.ignoreReload()
        let listeners = try listeners ?? Listener.inherited()
        if sessions.provider.isLocalToProcess, !allowsManyProcesses {
            for listener in listeners { try listener.claim(logger: logger) }
        }
        let server = try server(listeners: listeners)
        // A file at its size limit (a log, the sessions' state) is to be an error of write(2), not the process's end.
        signal(SIGXFSZ, SIG_IGN)
        let signals = ProcessSignals(logger: logger, reloadHooks: reloadHooks) { server.shutdown() }
        defer { signals.cancel() }
        try server.run()
        sessions.provider.close()
    }

    /// Serves on one address; see ``run(listeners:)``.
    ///
    /// - Parameter address: `unix:/run/app.sock` or `tcp:127.0.0.1:9000`.
    public func run(listen address: String) throws {
        try run(listeners: [Listener.at(address)])
    }
}
