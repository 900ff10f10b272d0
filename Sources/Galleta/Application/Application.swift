public import FastCGI
internal import GalletaPlatform
internal import Glibc
public import Logging
public import Sessions

/// Routes, cross-cutting steps and sessions, put together into one handler for a FastCGI server.
///
/// ```swift
/// let app = Application(sessions: try SessionManager(provider: "memory", cookieName: "sid", maxLifetime: .seconds(3600)))
/// app.get("/visits") { request, session in
///     "Visit \(try session.update("visits", default: 0) { $0 += 1; return $0 })\n"
/// }
/// try app.run()
/// ```
///
/// The way of a request: the steps in the order they were added, the route, the handler; then the session is committed
/// and its cookie and cache headers are set, all before the first byte is sent.
///
/// An error is an answer. What a handler or a step throws, and what makes it impossible to ask a handler (an unknown path or
/// method, a body that is too large), becomes a response at once, by ``onError(_:)`` or a short page that says no more than
/// the status; the steps around see that response like any other. **A handler that throws changes nothing in the session**,
/// whatever becomes of the response on its way: its changes are rolled back (`Session.rollBack()`) before anybody makes a
/// page of the error. What acts at once stays, as it does everywhere: `update`, `save`, `popFlash`, `destroy`, `rotate`; and
/// of `logIn` the new id, under which the visitor is in the session as it was.
///
/// Threading: add routes, steps and hooks before ``run(listeners:)`` or ``server(listeners:)``, from one thread; what is added later has
/// no effect. Handlers run on several threads at a time.
public final class Application: RouteBuilder {
    /// How the application serves: mount point, threads, limits, deadlines.
    public var configuration: Server.Configuration
    /// Finds, keeps and ends sessions.
    public let sessions: SessionManager
    /// Errors of handlers and trouble with peers.
    public let logger: Logger
    /// Whether several processes may serve one inherited socket although the provider keeps sessions in each one's own
    /// memory. Default: false, ``run(listeners:)`` refuses.
    public var allowsManyProcesses = false
    /// One line a request: method, path, status, duration, request id; never cookies or queries. Nil writes none.
    public var accessLogger: Logger?
    /// Told of each request after its answer, beside the access log: for metrics. On the thread that saw it: keep it short.
    public var onRequest: Server.Observer?

    /// The routes and steps of the application itself; ``RouteBuilder/group(_:_:)`` makes those within.
    public let routeGroup = RouteGroup(list: RouteList.Storage())
    private var authorizerAction: Endpoint.Action?
    var errorHandler: ErrorHandler?
    var reloadHooks: [ReloadHook] = []
    private var reopenHooks: [ReloadHook] = []
    private var startHooks: [LifecycleHook] = []
    private var shutdownHooks: [LifecycleHook] = []
    /// What handlers and other threads may hold of the application: its statistics, and its stop.
    public let control = ApplicationControl()
    /// Whether lines that are logged while a request is handled, by whatever logger, carry its id: where the logging system was
    /// set up with `Logger.MetadataProvider.galleta`. Default: false; costs an allocation a request.
    public var providesLogMetadata = false
    var admission: Server.Admission?

    /// - Parameters:
    ///   - sessions: Finds, keeps and ends sessions.
    ///   - configuration: Mount point, threads, limits, deadlines.
    ///   - logger: Errors of handlers and trouble with peers. Its handler is called on the workers' threads, and must not
    ///     block them: see ``LineLogHandler``.
    public init(
        sessions: SessionManager,
        configuration: Server.Configuration = Server.Configuration(),
        logger: Logger = Logger(label: "galleta")
    ) {
        self.sessions = sessions
        self.configuration = configuration
        self.logger = logger
        accessLogger = logger
    }

    /// The routes that were added, to be printed.
    public var routes: RouteList { RouteList(routeGroup.list.routes) }

    /// Answers the web server's question whether a client may go on (the Authorizer role, FastCGI 1.0, section 6.3).
    ///
    /// 200 lets the client pass, and every field named `Variable-NAME` becomes a parameter NAME of its request; any other
    /// answer goes to the client. Without an authorizer such requests are answered with 403.
    public func authorize(_ handler: @escaping Handler<Response>) {
        authorizerAction = .sync(handler)
    }

    /// Answers the web server's question, and may suspend; see ``authorize(_:)-(Application.Handler<Response>)``.
    public func authorize(_ handler: @escaping AsyncHandler<Response>) {
        authorizerAction = .async(handler)
    }

    /// Decides for each request, once its head is there and before anything of its body is kept, whether it may send one: to
    /// give a path a limit of its own, or to refuse what strangers upload. See `Server.Admission`; steps and sessions come
    /// later, and do not see the answer of a request that is refused here. Another call replaces the first.
    public func admit(_ admission: @escaping Server.Admission) {
        self.admission = admission
    }

    /// Has something done whenever the process gets SIGHUP, such as reading a file again.
    ///
    /// Hooks run in the order they were added, one at a time, on a thread that serves no requests. One that throws has its
    /// error logged, and the next one runs: keep what was good before.
    public func onReload(_ hook: @escaping ReloadHook) {
        reloadHooks.append(hook)
    }

    /// Has something done whenever the process gets SIGUSR2, and first of all at SIGHUP, such as opening a log file again that
    /// was moved away. What it throws is logged.
    public func onReopen(_ hook: @escaping ReloadHook) {
        reopenHooks.append(hook)
    }

    /// Has something done before the first request is taken, such as opening a pool of connections. In the order they were
    /// added; the first that throws ends ``run(listeners:)``.
    public func onStart(_ hook: @escaping LifecycleHook) {
        startHooks.append(hook)
    }

    /// Has something done after the last request was answered, before the sessions are saved; the last one added comes first.
    /// It is done, too, where a start hook has failed. What it throws is logged.
    public func onShutdown(_ hook: @escaping LifecycleHook) {
        shutdownHooks.append(hook)
    }

    /// Makes the pages of errors: of what handlers and steps throw, of unknown paths and methods, of bodies that cannot be
    /// read, of a session store that is down.
    ///
    /// ```swift
    /// app.onError { error, request in
    ///     guard request.acceptsHTML else { return nil }
    ///     let error = HTTPError(answering: error)
    ///     return .html(page(error.status.reasonPhrase, "<p>\(error.explanation)</p>"), status: error.status)
    /// }
    /// ```
    ///
    /// ``HTTPError/init(answering:)`` has the status and the words for the client, whatever the error is. The header fields that
    /// the status demands, such as `Allow` and `Retry-After`, and `Vary` are added where the response lacks them.
    ///
    /// It is called after the session was rolled back and the error was logged, and before the steps around see its
    /// response. Another call replaces the first.
    ///
    /// - Parameter handler: Returns the response, or nil for the one that the library makes. What it throws is logged, and
    ///   is 500.
    public func onError(_ handler: @escaping ErrorHandler) {
        errorHandler = handler
    }

    /// A server that serves this application.
    ///
    /// - Parameters:
    ///   - listeners: Where connections come from; at least one.
    /// - Throws: `ConfigurationError` that names the field.
    public func server(listeners: [Listener]) throws -> Server {
        try server(listeners, configuration, logger, observer: observer)
    }

    /// The application for its own process (`Server.connect`), for tests.
    ///
    /// - Parameters:
    ///   - shutdownGrace: In place of the configuration's.
    ///   - logger: In place of the application's.
    ///   - observer: Told of each request after the access log.
    package func serviceInProcess(
        shutdownGrace: Duration, logger: Logger, observer: @escaping Server.Observer
    ) throws -> ApplicationService {
        var configuration = configuration
        configuration.shutdownGrace = shutdownGrace
        let accessLog = self.observer
        let server = try server(nil, configuration, logger) { summary in
            accessLog?(summary)
            observer(summary)
        }
        return service(server)
    }

    private var observer: Server.Observer? {
        guard let log = accessLogger.map(AccessLog.observer) else { return onRequest }
        guard let onRequest else { return log }
        return { summary in
            log(summary)
            onRequest(summary)
        }
    }

    private func server(
        _ listeners: [Listener]?, _ configuration: Server.Configuration, _ logger: Logger, observer: Server.Observer?
    ) throws -> Server {
        let pipeline = try pipeline(logger)
        let server = try Server(
            configuration: configuration,
            listeners: listeners,
            logger: logger,
            observer: observer,
            admission: admission(by: pipeline)
        ) { request, failure in pipeline.answer(request, failure) }
        control.server.withLock { $0 = server }
        return server
    }

    /// Serves until SIGTERM, SIGINT, SIGQUIT or SIGUSR1, then finishes what is in flight, saves the sessions and returns. A
    /// second signal cuts short what is in flight. SIGHUP runs the ``onReopen(_:)`` and ``onReload(_:)`` hooks, SIGUSR2 the
    /// former; SIGPIPE is ignored. A service manager that asks for it (NOTIFY_SOCKET) is told of start, reload and stop, and gets
    /// signs of life; one that keeps descriptors (FDSTORE, the number) holds the connections from a stop to the next start.
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
        if sessions.provider.traits.isLocalToProcess, !allowsManyProcesses {
            for listener in listeners { try listener.claim(logger: logger) }
        }
        let service = try service(listeners: listeners)
        // A file at its size limit (a log, the sessions' state) is to be an error of write(2), not the process's end.
        signal(SIGXFSZ, SIG_IGN)
        let notifier = ServiceNotifier.ofProcess()
        let signals = ProcessSignals(
            logger: logger, reloadHooks: reloadHooks, reopenHooks: reopenHooks, notifier: notifier,
            reloads: control.reloads
        ) { service.shutdown() }
        let store = notifier.flatMap { notifier in
            notifier.storeSize > 0 && listeners.contains(where: \.isHeldByManager) ? notifier : nil
        }
        if let store {
            service.server.handOverConnections(atMost: store.storeSize) {
                store.store($0, named: Listener.connectionName)
            }
        }
        let report = notifier.map { ServiceReport($0, service.server) }
        defer {
            report?.cancel()
            signals.cancel()
        }
        try service.runOnThread {
            store?.forgetStored(named: Listener.connectionName)
        } whenServing: {
            notifier?.send("READY=1")
        }
    }

    /// The application with its listeners, to be run beside other things; see ``ApplicationService``. Routes and hooks that are
    /// added later have no effect on it.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    public func service(listeners: [Listener]) throws -> ApplicationService {
        service(try server(listeners: listeners))
    }

    private func service(_ server: Server) -> ApplicationService {
        ApplicationService(
            server: server, sessions: sessions, logger: logger, startHooks: startHooks, shutdownHooks: shutdownHooks)
    }

    /// Stops what ``run(listeners:)`` or ``service(listeners:)`` has begun: no new connections, requests in flight are finished.
    /// Returns at once; a second call cuts the grace short.
    public func shutdown() {
        control.shutdown()
    }

    /// What the server has done so far; all zero before there is one.
    public var statistics: ServerStatistics { control.statistics }

    /// Serves on one address; see ``run(listeners:)``.
    ///
    /// - Parameter address: `unix:/run/app.sock` or `tcp:127.0.0.1:9000`.
    public func run(listen address: String) throws {
        try run(listeners: [Listener.at(address)])
    }

    /// Checks what a start would: the configuration, and the routes that were added so far.
    ///
    /// - Throws: `ConfigurationError` that names the property, or the route that no request can reach, that is there twice, or
    ///   is no route.
    public func validate() throws(ConfigurationError) {
        try configuration.validate()
        _ = try routeTable()
    }

    /// - Throws: `ConfigurationError` that names a route that cannot be.
    private func pipeline(_ logger: Logger) throws(ConfigurationError) -> Pipeline {
        let steps = routeGroup.scope.steps
        return Pipeline(
            routes: try routeTable(),
            steps: StepList(steps),
            authorizer: authorizerAction.map { Endpoint($0, steps: steps) },
            errors: ErrorResponder(custom: errorHandler, logger: logger),
            sessions: sessions,
            bindsMetadata: providesLogMetadata
        )
    }

    private func routeTable() throws(ConfigurationError) -> RouteTable {
        var table = RouteTable()
        for route in routeGroup.list.routes {
            let name = "routes: \(route.method) \(LogText.line(route.path))"
            if let limit = route.bodyLimit, limit < 0 {
                throw ConfigurationError(
                    field: name, reason: "maxBodyBytes is \(limit)", remedy: "give a number of bytes, 0 or more")
            }
            let endpoint = Endpoint(
                route.action, touchesSession: route.touchesSession, steps: route.allSteps,
                maxBodyBytes: route.bodyLimit, pattern: route.path)
            do throws(PathPattern.Fault) {
                try table.add(route.method, route.path, endpoint)
            } catch {
                throw ConfigurationError(field: name, reason: error.reason, remedy: error.remedy)
            }
        }
        return table
    }

    /// The application's own comes first; what that lets pass its route decides.
    private func admission(by pipeline: Pipeline) -> Server.Admission? {
        let needsRoutes = routeGroup.list.routes.contains { route in
            route.bodyLimit != nil || route.allSteps.contains { $0.check != nil }
        }
        guard needsRoutes else { return admission }
        guard let own = admission else { return { pipeline.admit($0) } }
        return { request in
            let verdict = own(request)
            if case .body(limit: nil) = verdict { return pipeline.admit(request) }
            return verdict
        }
    }

    /// Makes a page of an error; see ``onError(_:)``.
    public typealias ErrorHandler = @Sendable (any Error, Request) throws -> Response?

    /// What is done at the start or the end; see ``onStart(_:)`` and ``onShutdown(_:)``.
    public typealias LifecycleHook = @Sendable () async throws -> Void

    /// What is done at SIGHUP; see ``onReload(_:)``.
    public typealias ReloadHook = @Sendable () throws -> Void
}
