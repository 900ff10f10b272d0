internal import FastCGI
internal import Sessions

/// What answers a route.
struct Endpoint: Sendable {
    enum Action: Sendable {
        case sync(Application.Handler)
        case async(Application.AsyncHandler)
    }

    private let action: Action
    private let touchesSession: Bool

    init(_ action: Action, touchesSession: Bool = true) {
        self.action = action
        self.touchesSession = touchesSession
    }

    var isAsync: Bool {
        if case .async = action { true } else { false }
    }

    /// Answers on this thread; an async handler holds it.
    func answer(_ request: Request, _ session: Session) throws -> Response {
        if !touchesSession { session.skipTouch() }
        switch action {
        case .sync(let handler): return try handler(request, session)
        case .async(let handler): return try request.runOnWorker { try await handler(request, session) }
        }
    }

    func answerAsync(_ request: Request, _ session: Session) async throws -> Response {
        if !touchesSession { session.skipTouch() }
        switch action {
        case .sync(let handler): return try handler(request, session)
        case .async(let handler): return try await handler(request, session)
        }
    }
}
