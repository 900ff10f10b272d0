internal import FastCGI
internal import HTTPTypes
internal import Logging
internal import Sessions

/// The application as it stands once serving begins: what never changes, shared by all workers.
struct Pipeline: Sendable {
    let routes: RouteTable
    let steps: [Application.Step]
    let authorizer: Endpoint?
    let sessions: SessionManager
    let logger: Logger

    /// Answers a request; never throws for what a handler did.
    func answer(_ request: Request) throws -> Response {
        var candidates = SessionIDCandidates()
        request.withCookieHeaders { candidates.collect(from: $0, named: sessions.cookie) }
        let session = sessions.open(
            candidates, isSecure: request.isSecure,
            client: sessions.limitsNewSessions ? request.remoteAddress : nil)
        var response: Response
        do {
            response = try run(request, session, step: 0)
            let commit = try session.commit()
            SessionHeaders.apply(commit, to: &response)
            return response
        } catch {
            // Nothing of a failed handler's changes is kept, but a destroyed or rotated session stays so.
            response = failure(error, request)
            SessionHeaders.apply(session.discard(), to: &response)
            return response
        }
    }

    private func run(_ request: Request, _ session: Session, step index: Int) throws -> Response {
        guard index < steps.count else { return try route(request, session) }
        return try steps[index](request, session) { try run($0, $1, step: index + 1) }
    }

    private func route(_ request: Request, _ session: Session) throws -> Response {
        if request.role == .authorizer {
            guard let authorizer else { throw HTTPError(.forbidden) }
            return try authorizer.answer(request, session)
        }
        switch routes.match(request) {
        case .endpoint(let endpoint, let captures):
            guard !captures.isEmpty else { return try endpoint.answer(request, session) }
            var request = request
            request.captures = captures
            return try endpoint.answer(request, session)
        case .otherMethods(let methods):
            let allow = methods.joined(separator: ", ")
            if request.method == .options { return Response(status: .noContent, headers: [.allow: allow]) }
            throw HTTPError(.methodNotAllowed, headers: [.allow: allow])
        case .none:
            throw HTTPError(.notFound)
        }
    }

    /// The answer to an error: its status to the client, everything to the log.
    private func failure(_ error: any Error, _ request: Request) -> Response {
        let response: Response
        switch error {
        case let error as HTTPError: response = error.response
        case let error as SessionStoreError: response = SessionHeaders.unavailable(error)
        case let error as SessionError where error.code == .tooManySessions:
            response = SessionHeaders.tooMany(error)
        case let error as any HTTPStatusError: response = HTTPError(error.status).response
        default: response = HTTPError(.internalServerError).response
        }
        let isOurs = response.status.code >= 500
        // The session manager reports its store's failures and a flood of new sessions itself.
        if !(error is SessionStoreError), response.status != .tooManyRequests, isOurs || !(error is HTTPError) {
            logger.log(
                level: isOurs ? .error : .info,
                "request failed: \(error)",
                metadata: [
                    "request_id": "\(request.requestID ?? "-")",
                    "method": "\(request.method.rawValue)",
                    "path": "\(LogText.clean(request.path))",
                    "status": "\(response.status.code)",
                ]
            )
        }
        return response
    }
}
