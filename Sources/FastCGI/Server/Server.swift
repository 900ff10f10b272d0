internal import CPlatform
internal import GalletaPlatform
internal import Glibc
public import Logging
internal import Synchronization

/// A FastCGI application server: connections from web servers in, requests to a handler, answers out.
///
/// libfcgi speaks the protocol; the loop around it is ours. Idle connections wait in one shared epoll set and hold no
/// thread, so a few workers serve any number of connections that a web server keeps.
///
/// ```swift
/// let server = try Server(listeners: [.unix(path: "/run/app.sock")]) { request in
///     .text("Hello from \(request.path)\n")
/// }
/// try server.run()
/// ```
///
/// SIGPIPE is ignored from the first server of a process on; no other signal is touched.
///
/// Threading: `run` blocks its caller; everything else is usable from any thread.
public final class Server: Sendable {
    /// Answers a request, on a worker's thread. What it throws becomes the status of ``HTTPStatusError``, else 500.
    public typealias Handler = @Sendable (Request) throws -> Response

    /// As ``Handler``, and may suspend: it holds no worker while it waits. Its task is cancelled when nobody waits for the
    /// answer any more.
    public typealias AsyncHandler = @Sendable (Request) async throws -> Response

    /// Answers a request that no handler may see, and says by which error: a path that cannot be read (400) or is not below
    /// the mount point (404), a body that is too large (413), late (408) or cut short (400).
    ///
    /// A request whose target is at fault has the empty path, for what was sent was not checked. Where the body is at fault,
    /// reading it throws the same error.
    public typealias Refusal = @Sendable (Request, any HTTPStatusError) throws -> Response

    /// Says, on a worker's thread, whether a request whose head is there may send its body, before anything of it is kept.
    /// Its body cannot be read yet. Not asked for requests that no handler may see.
    public typealias Admission = @Sendable (Request) -> Verdict

    /// What becomes of a request whose head is there.
    public enum Verdict: Sendable {
        /// It may send a body of at most so many bytes; nil is ``Configuration/maxBodyBytes``. A larger one is 413.
        case body(limit: Int?)
        /// This is its answer; what it sends of a body is read away.
        case answer(Response)
        /// The handler is to refuse it: what it sends of a body is read away, and reading that throws (403).
        case discard
    }

    /// As much of a body is held in memory; of a longer one the rest goes to a file.
    package static var bodyBytesInMemory: Int { BodySpool.memoryThreshold }

    /// Answers a request, or says how it is to be answered without a worker.
    ///
    /// - Parameter failure: Why no handler may see it; see ``Refusal``.
    package typealias Dispatcher = @Sendable (Request, (any HTTPStatusError)?) throws -> Reply

    package enum Reply: Sendable {
        case response(Response)
        /// To be run as a task on the workers.
        case task(@Sendable () async throws -> Response)
    }

    /// Is told of each request after its answer, or when it is cut, on the thread that saw it: keep it short.
    public typealias Observer = @Sendable (RequestSummary) -> Void

    private enum Life {
        /// Made, not yet run.
        case ready
        /// Its threads are being started.
        case starting
        /// Its threads are there; the watchdog's ends when serving ends.
        case running(watchdog: SystemThread)
        /// It has ended, or could not be started.
        case stopped
    }

    let engine: Engine
    private let crew: Crew
    private let life = Locked(Life.ready)

    /// - Parameters:
    ///   - configuration: Threads, limits and deadlines.
    ///   - listeners: Where connections come from; at least one.
    ///   - logger: For trouble with peers and handlers; the server writes no access log.
    ///   - observer: Told of each request after its answer.
    ///   - admission: Asked for each request before its body is taken; without it all may send one.
    ///   - refusal: Answers requests that no handler may see; without it the server does so itself, in plain text.
    ///   - handler: Answers requests, several at a time.
    /// - Throws: `ConfigurationError` that names the field.
    public convenience init(
        configuration: Configuration = Configuration(),
        listeners: [Listener],
        logger: Logger = Logger(label: "fastcgi"),
        observer: Observer? = nil,
        admission: Admission? = nil,
        refusal: Refusal? = nil,
        handler: @escaping Handler
    ) throws {
        try self.init(
            configuration: configuration, listeners: listeners, logger: logger, observer: observer, admission: admission
        ) { request, failure in
            .response(try Self.refuse(request, failure, refusal) ?? handler(request))
        }
    }

    /// A server whose handler may suspend; else as ``init(configuration:listeners:logger:observer:admission:refusal:handler:)``.
    public convenience init(
        configuration: Configuration = Configuration(),
        listeners: [Listener],
        logger: Logger = Logger(label: "fastcgi"),
        observer: Observer? = nil,
        admission: Admission? = nil,
        refusal: Refusal? = nil,
        asyncHandler: @escaping AsyncHandler
    ) throws {
        try self.init(
            configuration: configuration, listeners: listeners, logger: logger, observer: observer, admission: admission
        ) { request, failure in
            if let response = try Self.refuse(request, failure, refusal) { return .response(response) }
            return .task { try await asyncHandler(request) }
        }
    }

    private static func refuse(
        _ request: Request, _ failure: (any HTTPStatusError)?, _ refusal: Refusal?
    ) throws -> Response? {
        guard let failure else { return nil }
        guard let refusal else { throw failure }
        return try refusal(request, failure)
    }

    /// A server whose dispatcher decides for each request whether it needs a task.
    ///
    /// - Parameter listeners: Nil where all connections come from within the process, by ``connect()``.
    package init(
        configuration: Configuration,
        listeners: [Listener]?,
        logger: Logger,
        observer: Observer?,
        admission: Admission?,
        dispatcher: @escaping Dispatcher
    ) throws {
        try configuration.validate()
        try LibraryRequest.start()
        // A peer that has gone is an error of its write, never the process's end.
        signal(SIGPIPE, SIG_IGN)
        guard listeners?.isEmpty != true else {
            throw ConfigurationError(
                field: "listeners",
                reason: "there is none",
                remedy: "give a unix socket (unix:/run/galleta/galleta.sock), or start it by spawn-fcgi or systemd"
            )
        }
        engine = try Engine(
            configuration: configuration,
            listeners: listeners ?? [],
            logger: logger,
            observer: observer,
            admission: admission,
            dispatcher: dispatcher
        )
        crew = Crew(engine: engine)
    }

    /// Serves until ``shutdown()`` was called and what was in flight is answered, or the grace is over.
    ///
    /// - Throws: `ConfigurationError` if the threads cannot be started; a second call is a programming error.
    public func run() throws {
        guard try start() else { return }
        finish()
    }

    /// Starts the threads, which serve from now on; false if that was done before.
    ///
    /// - Throws: `ConfigurationError`, as ``run()``.
    package func start() throws -> Bool {
        let mayStart = life.withLock { life in
            guard case .ready = life else { return false }
            life = .starting
            return true
        }
        guard mayStart else { return false }
        do {
            let watchdog = try startThreads()
            life.withLock { $0 = .running(watchdog: watchdog) }
        } catch {
            life.withLock { $0 = .stopped }
            throw error
        }
        return true
    }

    private func startThreads() throws -> SystemThread {
        try engine.acceptor.start()
        engine.takeOver()
        for listener in engine.acceptor.listeners {
            for warning in listener.warnings { engine.logger.warning("\(warning)") }
            engine.logger.notice(
                "listening on \(listener.name)", metadata: ["workers": "\(engine.active.now.pointee.values.workers)"])
        }

        let watchdog = Watchdog(engine: engine, crew: crew)
        do {
            try crew.start()
            return try SystemThread(name: "fcgi-watchdog") { watchdog.run() }
        } catch {
            engine.lifecycle.advance(to: .exiting)
            engine.poller.end()
            let started = crew.count.all
            crew.dismiss()
            _ = crew.join(until: .now.advanced(by: .seconds(1)))
            throw ConfigurationError(
                field: "workers",
                reason: "thread \(started + 1) cannot be started: \(String(cString: strerror(error.code)))",
                remedy: "lower `workers`, or raise the limit of tasks (TasksMax=, ulimit -u) or memory"
            )
        }
    }

    /// Waits until a server that was started has ended.
    ///
    /// - Parameter patience: How long handlers may take to return that were cut at the end of the grace.
    /// - Returns: How many did not return, and were left behind with their threads.
    @discardableResult
    package func finish(patience: Duration = .seconds(2)) -> Int {
        guard case .running(let watchdog) = life.withLock({ $0 }) else { return 0 }
        defer { life.withLock { $0 = .stopped } }
        // It ends the stages; a handler that never returns is left behind, not waited for.
        _ = watchdog.join(timeout: nil)
        crew.dismiss()
        let stuck = crew.join(until: .now.advanced(by: patience))
        if stuck > 0 { engine.logger.error("\(stuck) handlers did not return and are abandoned") }
        var metadata: Logger.Metadata = ["requests": "\(statistics.requests)"]
        if engine.handover.count > 0 { metadata["connections_handed_over"] = "\(engine.handover.count)" }
        engine.logger.notice("stopped", metadata: metadata)
        return stuck
    }

    /// Gives connections away at a stop, in place of closing them: those that wait for their next request, and others once they
    /// do. Before the start.
    ///
    /// - Parameters:
    ///   - limit: Most of them. The others are closed, as without a taker.
    ///   - taker: Takes descriptors for a successor, on the thread that lets go of them; false if it cannot. They are closed
    ///     here afterwards.
    package func handOverConnections(atMost limit: Int, to taker: @escaping @Sendable ([Int32]) -> Bool) {
        engine.handover.open(atMost: limit, taker)
    }

    /// Connects the process with itself: the server serves one end of a pair of sockets as it does any connection.
    ///
    /// - Returns: The other end, which does not block; the caller's to close.
    /// - Throws: `ConfigurationError` when there are as many connections as there may be, or no descriptor is left.
    package func connect() throws(ConfigurationError) -> Int32 {
        try engine.connect()
    }

    /// Begins to stop: no new connections, requests in flight are finished. Returns at once; a second call cuts the
    /// grace short. An inherited listener is left open for whoever comes next.
    public func shutdown() {
        if !engine.lifecycle.advance(to: .draining) { engine.lifecycle.cutGraceShort() }
    }

    /// What the server has done so far.
    public var statistics: ServerStatistics {
        let counters = engine.counters
        var statistics = ServerStatistics()
        statistics.acceptedConnections = counters.accepted.load(ordering: .relaxed)
        statistics.openConnections = engine.table.openCount
        statistics.requests = counters.requests.load(ordering: .relaxed)
        statistics.activeWorkers = counters.active.load(ordering: .relaxed)
        statistics.maxActiveWorkers = counters.maxActive.load(ordering: .relaxed)
        statistics.workers = engine.active.now.pointee.values.workers
        statistics.stuckWorkers = crew.count.stuck
        statistics.refusedHeads = counters.refusedHeads.load(ordering: .relaxed)
        statistics.timeouts = counters.timeouts.load(ordering: .relaxed)
        statistics.failedWrites = counters.failedWrites.load(ordering: .relaxed)
        statistics.slowRequests = counters.slowRequests.load(ordering: .relaxed)
        statistics.storageFailures = counters.storageFailures.load(ordering: .relaxed)
        statistics.refusedPeers = counters.refusedPeers.load(ordering: .relaxed)
        return statistics
    }
}
