internal import GalletaPlatform
internal import HTTPTypes
internal import Logging
internal import Synchronization

/// One request from its first byte to the last of its answer.
///
/// It is parked with its connection while it waits: for bytes of its head or body, for an async handler, for room. None of
/// these holds a worker, and a sync handler finds all of the body. (nginx gathers bodies itself by default; Apache and Caddy
/// pass them on as slowly as the client sends them.)
///
/// Threading: used by whoever holds the connection; between two of them it lies in the connection's slot. What the task of an
/// async handler does to it is behind a lock.
final class Exchange: @unchecked Sendable {
    // Safe: see threading.
    /// The request as handlers see it.
    var context: RequestContext
    private(set) var check: RequestCheck
    /// The body.
    let spool: BodySpool
    /// When the rest of the head was first waited for; further parts do not move it.
    private(set) var headBegin = BootInstant(nanoseconds: 0)
    /// When the head was complete.
    private(set) var startedAt = BootInstant(nanoseconds: 0)
    /// The end of the time for body, handler and answer together.
    private(set) var deadline = BootInstant(nanoseconds: 0)
    private var received = 0
    private var bodyLimit: Int
    /// Nothing is kept of a body that no handler will see; it is read so that the web server takes the answer.
    private var isDiscarding = false
    private let configuration: Server.Configuration
    /// Which of the server's configurations that is.
    let version: Int
    private let logger: Logger
    private let counters: ServerCounters?
    private let admission: Server.Admission?
    /// The request for handlers, once its head is there, or why there can be none.
    private(set) var request: Result<Request, Request.Unusable> = .failure(.incomplete)
    /// What the application has answered to the head.
    private(set) var admittedAnswer: Response?
    /// Why no handler will see the body.
    private(set) var failure: RequestBodyError?
    /// The admission wants none of its body.
    private var isRefused = false

    /// The answer, once there is one.
    var outbox = Outbox()
    var status = 0
    /// When the connection took something of it last.
    var progressAt = BootInstant(nanoseconds: 0)
    /// Bytes that came behind the request while its answer was on the way: the next one's.
    var following: [UInt8] = []
    /// The body of an answer that a task writes.
    var stream: StreamBuffer? { run.withLock { $0.stream } }

    /// A task works, or has worked, for it, and may hold on to it.
    private(set) var hasTask = false

    private struct Run {
        var stream: StreamBuffer?
        var cancel: (@Sendable () -> Void)?
        var outcome: Result<Response, any Error>?
        var isCancelled = false
    }

    private let run = Locked(Run())

    /// What bytes brought.
    enum Progress {
        /// More has to come.
        case waiting
        /// The request can be answered.
        case complete
        case refused(RequestCheck.Refusal)
        /// More of a body that nobody wants than is worth reading.
        case endless
        /// The web server asks for values, of these names.
        case management(ManagementRecord)
    }

    init(
        _ configuration: Server.Configuration, version: Int = 0, admission: Server.Admission? = nil,
        logger: Logger = Logger(label: "fastcgi"), counters: ServerCounters? = nil
    ) {
        self.counters = counters
        self.configuration = configuration
        self.version = version
        self.logger = logger
        self.admission = admission
        check = RequestCheck(maxHeadBytes: configuration.maxHeadBytes)
        spool = BodySpool(directory: configuration.formLimits.temporaryDirectory)
        context = RequestContext(configuration, logger: logger, counters: counters)
        bodyLimit = configuration.maxBodyBytes
    }

    deinit {
        // The body goes with it; whoever keeps the request reads it no more.
        context.finish()
    }

    /// Makes ready for another request; not where a task may hold on to it.
    func reset() {
        // A handler that kept its request reads no body any more: it would be the next one's.
        context.finish()
        run.withLock { $0 = Run() }
        check = RequestCheck(maxHeadBytes: configuration.maxHeadBytes)
        spool.removeAll()
        received = 0
        bodyLimit = configuration.maxBodyBytes
        isDiscarding = false
        isRefused = false
        failure = nil
        request = .failure(.incomplete)
        admittedAnswer = nil
        headBegin = BootInstant(nanoseconds: 0)
        isLate = false
        outbox.letGo()
        // A handler that kept its request keeps the context with it.
        if isKnownUniquelyReferenced(&context) {
            context.reset()
        } else {
            context = RequestContext(configuration, logger: logger, counters: counters)
        }
    }

    // MARK: Coming in

    /// The request can be answered although no end of a body has come: an Authorizer gets none (section 6.3). Apache
    /// sends no record, others an empty one, with the head.
    var needsNoBody: Bool { check.isAuthorizer && check.hasHead && !check.hasBody }

    /// The next byte on the connection is another request's.
    var isInStep: Bool { check.isComplete || needsNoBody }

    /// Takes bytes up to the end of the request; returns how many those were.
    func take(_ bytes: UnsafeRawBufferPointer) -> (taken: Int, Progress) {
        var offset = 0
        do throws(RequestCheck.Refusal) {
            while true {
                switch try check.next(bytes, &offset) {
                case .moreBytes:
                    guard received - bodyLimit <= configuration.maxDrainBytes else { return (offset, .endless) }
                    return (offset, .waiting)
                case .parameters(let range): context.append(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .headEnd: try finishHead()
                case .body(let range): keep(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .management(let record): return (offset, .management(record))
                case .end:
                    finishBody()
                    return (offset, .complete)
                }
            }
        } catch {
            return (offset, .refused(error))
        }
    }

    /// The end of the time for the head.
    var headDeadline: BootInstant { headBegin.advanced(by: configuration.headTimeout) }

    /// Its time was over before all of it had come.
    private(set) var isLate = false

    /// Something of a head has come, and its rest is waited for.
    func waitForHead() {
        if headBegin.nanoseconds == 0 { headBegin = .now }
    }

    /// Notes for the slow log what a request whose head is there now may have waited since then, in nanoseconds; 0 is
    /// unknown. What comes behind it has not.
    func noteWait(since arrivedAt: inout Int64) {
        guard arrivedAt != 0, context.isTimed else { return }
        let waited = max(0, startedAt.nanoseconds - arrivedAt)
        arrivedAt = 0
        context.time { $0.waitedBefore = waited }
    }

    /// The time is over: what has arrived is answered with 408, unless there was another reason before.
    func timeOut() {
        guard !isLate else { return }
        isLate = true
        if failure == nil { failure = RequestBodyError(.timedOut(received: received)) }
        // Its answer gets some time of its own.
        deadline = .now.advanced(by: configuration.writeTimeout)
    }

    /// The web server sends no more.
    func cutShort() {
        if failure == nil { failure = RequestBodyError(.truncated(received: received, declared: nil)) }
    }

    private func finishHead() throws(RequestCheck.Refusal) {
        startedAt = .now
        deadline = startedAt.advanced(by: configuration.handlerTimeout)
        context.role = check.isAuthorizer ? .authorizer : .responder
        if configuration.slowRequestTime != nil { context.beginTimes() }
        try context.readParameters(id: check.requestID, atMost: configuration.maxParameters)
        context.contentLength = try? Request.contentLength(context)
        request = Result { () throws(Request.Unusable) in try Request(context: context) }
        if let admission, case .success(let request) = request, request.failure == nil { admit(admission(request)) }
        if !check.isAuthorizer, admittedAnswer == nil, !isRefused, let declared = context.contentLength,
            declared > bodyLimit
        {
            discard(.tooLarge(limit: bodyLimit))
        }
    }

    /// The method, for the answer.
    var method: HTTPRequest.Method {
        if case .success(let request) = request { request.method } else { .get }
    }

    private func admit(_ verdict: Server.Verdict) {
        switch verdict {
        case .body(let limit): bodyLimit = max(0, limit ?? configuration.maxBodyBytes)
        case .answer(let response):
            admittedAnswer = response
            bodyLimit = 0
            isDiscarding = true
        case .discard:
            isRefused = true
            bodyLimit = 0
            isDiscarding = true
        }
    }

    /// Why the body cannot be read, though a handler sees the request.
    var bodyFailure: RequestBodyError? { failure ?? (isRefused ? RequestBodyError(.refused) : nil) }

    private func keep(_ bytes: UnsafeRawBufferPointer) {
        received += bytes.count
        guard !isDiscarding else { return }
        guard received <= bodyLimit else { return discard(.tooLarge(limit: bodyLimit)) }
        do throws(FormError) {
            try spool.append(bytes)
        } catch {
            counters?.storageFailures.add(1, ordering: .relaxed)
            discard(.storage(error.description))
        }
    }

    private func finishBody() {
        guard failure == nil, !isRefused, !check.isAuthorizer, let declared = context.contentLength,
            declared != received
        else {
            return
        }
        failure = RequestBodyError(.truncated(received: received, declared: declared))
    }

    private func discard(_ reason: RequestBodyError.Code) {
        failure = RequestBodyError(reason)
        isDiscarding = true
        spool.removeAll()
    }

    /// Gives away the request, which nobody is going to answer: its body can be read as long as somebody holds it.
    ///
    /// - Throws: `Request.Unusable` where no handler could see it.
    func takeRequest() throws(Request.Unusable) -> Request {
        let request = try self.request.get()
        if let unusable = request.failure { throw unusable }
        context.begin(keeping: spool, id: check.requestID, failure: failure)
        context = RequestContext(configuration, logger: logger, counters: counters)
        return request
    }

    // MARK: Async handlers and streams

    /// Starts the task of an async handler. It calls back once its outcome can be taken.
    func start(
        on crew: Crew, _ body: @escaping @Sendable () async throws -> Response,
        whenDone: @escaping @Sendable () -> Void
    ) {
        let (context, launchedAt) = (context, context.isTimed ? BootInstant.now : nil)
        launch(on: crew) { exchange in
            if let launchedAt {
                context.time { $0.waitedWithin += launchedAt.duration(to: .now).nanoseconds }
            }
            let outcome: Result<Response, any Error>
            do {
                outcome = .success(try await body())
            } catch {
                outcome = .failure(error)
            }
            context.time { $0.outcomeAt = .now }
            exchange.run.withLock { $0.outcome = outcome }
            whenDone()
        }
    }

    /// Starts the task that writes a stream.
    func start(
        on crew: Crew, _ stream: StreamBuffer, _ body: @escaping @Sendable () async throws -> Void
    ) {
        run.withLock { $0.stream = stream }
        launch(on: crew) { _ in
            do {
                try await body()
                stream.finish(nil)
            } catch {
                stream.finish(error)
            }
        }
    }

    private func launch(on crew: Crew, _ body: @escaping @Sendable (Exchange) async -> Void) {
        hasTask = true
        crew.beginTask()
        let task = Task(executorPreference: crew) { [self] in
            await body(self)
            crew.endTask()
        }
        let isCancelled = run.withLock { run in
            run.cancel = { task.cancel() }
            return run.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    /// What the async handler gave, once.
    func takeOutcome() -> Result<Response, any Error>? {
        run.withLock { run in
            defer { run.outcome = nil }
            return run.outcome
        }
    }

    /// Nobody waits for the answer any more: ends the task, if it listens. From any thread.
    func cancel() {
        context.cancel()
        let (cancel, stream) = run.withLock { run in
            run.isCancelled = true
            return (run.cancel, run.stream)
        }
        cancel?()
        stream?.close()
    }

    /// The server stops: a stream of events ends, with a word to its client. False for all others.
    @discardableResult
    func stopStream() -> Bool {
        let (cancel, stream) = run.withLock { ($0.cancel, $0.stream) }
        guard let stream, stream.stop() else { return false }
        cancel?()
        return true
    }
}
