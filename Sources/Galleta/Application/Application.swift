public import FastCGI
internal import GalletaPlatform
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
/// Threading: add routes, steps and hooks before ``run(listeners:)`` or ``handler()``, from one thread; what is added later has
/// no effect. Handlers run on several threads at a time.
public final class Application {
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

    var routes = RouteTable()
    var steps: [Step] = []
    var authorizer: Endpoint?
    var reloadHooks: [ReloadHook] = []

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

    /// Adds a step around every route, such as a check or a header: the first one added is the outermost.
    ///
    /// A step answers by itself, or calls `next` and returns what it gives, changed or not; it may also catch what
    /// `next` throws. It runs for paths without a route, too. The session is committed after the last step.
    public func use(_ step: @escaping Step) {
        steps.append(step)
    }

    /// Answers the web server's question whether a client may go on (the Authorizer role, FastCGI 1.0, section 6.3).
    ///
    /// 200 lets the client pass, and every field named `Variable-NAME` becomes a parameter NAME of its request; any other
    /// answer goes to the client. Without an authorizer such requests are answered with 403.
    public func authorize(_ handler: @escaping @Sendable (Request, Session) throws -> Response) {
        authorizer = Endpoint(.sync(handler))
    }

    /// Has something done whenever the process gets SIGHUP, such as reading a file again.
    ///
    /// Hooks run in the order they were added, one at a time, on a thread that serves no requests. One that throws has its
    /// error logged, and the next one runs: keep what was good before.
    public func onReload(_ hook: @escaping ReloadHook) {
        reloadHooks.append(hook)
    }

    /// The finished handler, for a `Server` of your own.
    public func handler() -> Server.Handler {
        let pipeline = Pipeline(
            routes: routes,
            steps: steps,
            authorizer: authorizer,
            sessions: sessions,
            logger: logger
        )
        return { request in try pipeline.answer(request) }
    }

    /// A step around the routes; see ``use(_:)``.
    public typealias Step = @Sendable (Request, Session, Next) throws -> Response

    /// The rest of the way: the following steps and the route.
    public typealias Next = (Request, Session) throws -> Response

    /// What is done at SIGHUP; see ``onReload(_:)``.
    public typealias ReloadHook = @Sendable () throws -> Void
}
