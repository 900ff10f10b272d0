internal import FastCGI
internal import Sessions

/// What answers a route, with all that stands around it. A class: a request passes it on without copying.
final class Endpoint: Sendable {
    enum Action: Sendable {
        case sync(@Sendable (Request, Session) throws -> Response)
        case async(@Sendable (Request, Session) async throws -> Response)
        /// Both do the same; which one runs depends on where the request is answered.
        case either(
            @Sendable (Request, Session) throws -> Response, @Sendable (Request, Session) async throws -> Response)
    }

    private let action: Action
    private let touchesSession: Bool
    /// The application's, the groups' and its own, the outermost first.
    let steps: StepList
    /// The longest body that it takes, in bytes; nil is the server's limit.
    let maxBodyBytes: Int?
    /// The path of its route, with its parameters by name; empty for the authorizer.
    let pattern: String
    let habit = SessionHabit()

    init(
        _ action: Action, touchesSession: Bool = true, steps: [Step] = [], maxBodyBytes: Int? = nil,
        pattern: String = ""
    ) {
        self.pattern = pattern
        self.action = action
        self.touchesSession = touchesSession
        self.steps = StepList(steps)
        self.maxBodyBytes = maxBodyBytes
    }

    /// Whether it can be answered by a task only.
    var isAsync: Bool {
        if case .async = action { true } else { false }
    }

    /// Answers on this thread; an async handler holds it.
    func answer(_ request: Request, _ session: Session) throws -> Response {
        if !touchesSession { session.skipTouch() }
        switch action {
        case .sync(let handler), .either(let handler, _): return try handler(request, session)
        case .async(let handler): return try request.runOnWorker { try await handler(request, session) }
        }
    }

    func answerAsync(_ request: Request, _ session: Session) async throws -> Response {
        if !touchesSession { session.skipTouch() }
        switch action {
        case .sync(let handler): return try handler(request, session)
        case .async(let handler), .either(_, let handler): return try await handler(request, session)
        }
    }
}

/// The steps around something, the outermost first. A class, as ``Endpoint``.
final class StepList: Sendable {
    let steps: [Step]
    /// The index of the last step that is only async.
    let lastAsync: Int?
    /// The index of the last step that is only sync.
    let lastSync: Int?
    /// Some can say something before the body is there.
    let hasChecks: Bool

    init(_ steps: [Step]) {
        self.steps = steps
        lastAsync = steps.lastIndex { $0.isAsync }
        lastSync = steps.lastIndex { $0.isSync }
        hasChecks = steps.contains { $0.check != nil }
    }
}
