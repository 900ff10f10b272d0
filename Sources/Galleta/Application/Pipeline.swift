internal import FastCGI
internal import HTTPTypes
internal import Logging
internal import Sessions

/// The application as it stands once serving begins: what never changes, shared by all workers.
///
/// An error becomes a response where it is thrown, so the steps around that place see responses only. A request whose handler
/// and steps are all sync is answered on the worker that took it; any other becomes a task, which holds none while it waits.
struct Pipeline: Sendable {
    let routes: RouteTable
    let steps: [Application.AnyStep]
    let authorizer: Endpoint?
    let errors: ErrorResponder
    let sessions: SessionManager
    /// The index of the last step that is async.
    let lastAsyncStep: Int?

    init(
        routes: RouteTable, steps: [Application.AnyStep], authorizer: Endpoint?, errors: ErrorResponder,
        sessions: SessionManager
    ) {
        self.routes = routes
        self.steps = steps
        self.authorizer = authorizer
        self.errors = errors
        self.sessions = sessions
        lastAsyncStep = steps.lastIndex { $0.isAsync }
    }

    /// What a request comes to, behind the steps.
    private enum Destination {
        case endpoint(Endpoint, Request)
        /// No handler may see it, or there is none.
        case failure(any Error)
        case response(Response)

        var isAsync: Bool {
            if case .endpoint(let endpoint, _) = self { endpoint.isAsync } else { false }
        }
    }

    /// Answers a request, or says how to.
    ///
    /// - Parameter failure: Why no handler may see it: what the steps see then as the handler's answer.
    func answer(_ request: Request, _ failure: (any HTTPStatusError)? = nil) -> Server.Reply {
        var candidates = SessionIDCandidates()
        request.withCookieHeaders { sessions.collectIDs(from: $0, into: &candidates) }
        let session = sessions.open(
            candidates, isSecure: request.isSecure,
            client: sessions.limitsNewSessions ? request.remoteAddress : nil,
            isForHead: request.method == .head)
        let destination = failure.map { .failure($0) } ?? destination(of: request)
        guard lastAsyncStep == nil, !destination.isAsync else {
            return .task { finish(await runAsync(request, session, destination, step: 0), request, session) }
        }
        return .response(finish(run(request, session, destination, step: 0), request, session))
    }

    /// Commits the session, and gives the response what that demands.
    private func finish(_ answer: Response, _ request: Request, _ session: Session) -> Response {
        var response = answer
        do {
            SessionHeaders.apply(try session.commit(), to: &response)
        } catch {
            // Only what a step has changed behind its `next` can fail here, or a store that has failed since.
            response = errors.response(to: error, request)
            response.secure()
            SessionHeaders.apply(session.discard(), to: &response)
        }
        return response
    }

    /// The rest of the way, from a step on behind which all is sync.
    private func run(
        _ request: Request, _ session: Session, _ destination: Destination, step index: Int
    ) -> Response {
        do {
            if index < steps.count, case .sync(let step) = steps[index] {
                return try step(request, session) { run($0, $1, destination, step: index + 1) }
            }
            let response: Response
            switch destination {
            case .endpoint(let endpoint, let request): response = try endpoint.answer(request, session)
            case .failure(let error): throw error
            case .response(let ready): response = ready
            }
            try saveForSteps(session)
            return response
        } catch {
            return fail(error, request, session)
        }
    }

    /// The rest of the way from any step on.
    private func runAsync(
        _ request: Request, _ session: Session, _ destination: Destination, step index: Int
    ) async -> Response {
        guard index <= lastAsyncStep ?? -1 || destination.isAsync else {
            return run(request, session, destination, step: index)
        }
        do {
            guard index < steps.count else {
                guard case .endpoint(let endpoint, let request) = destination else {
                    return run(request, session, destination, step: index)
                }
                let response = try await endpoint.answerAsync(request, session)
                try saveForSteps(session)
                return response
            }
            switch steps[index] {
            case .async(let step):
                return try await step(request, session) { await runAsync($0, $1, destination, step: index + 1) }
            case .sync(let step):
                // It cannot suspend: what is behind it holds this worker.
                return try step(request, session) { request, session in
                    do {
                        return try request.runOnWorker {
                            await runAsync(request, session, destination, step: index + 1)
                        }
                    } catch {
                        return fail(error, request, session)
                    }
                }
            }
        } catch {
            return fail(error, request, session)
        }
    }

    /// Where it fails (the store is full, say) the steps are to see the answer. Without steps the commit does it.
    private func saveForSteps(_ session: Session) throws {
        if !steps.isEmpty { try session.saveIfUsed() }
    }

    private func fail(_ error: any Error, _ request: Request, _ session: Session) -> Response {
        session.rollBack()
        return errors.response(to: error, request)
    }

    private func destination(of request: Request) -> Destination {
        if request.role == .authorizer {
            return authorizer.map { .endpoint($0, request) } ?? .failure(HTTPError(.forbidden))
        }
        switch routes.match(request) {
        case .endpoint(let endpoint, let captures):
            guard !captures.isEmpty else { return .endpoint(endpoint, request) }
            var request = request
            request.captures = captures
            return .endpoint(endpoint, request)
        case .otherMethods(let methods):
            let allow = methods.joined(separator: ", ")
            if request.method == .options { return .response(Response(status: .noContent, headers: [.allow: allow])) }
            return .failure(HTTPError(.methodNotAllowed, headers: [.allow: allow]))
        case .none:
            return .failure(HTTPError(.notFound))
        }
    }
}
