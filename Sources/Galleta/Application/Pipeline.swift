internal import FastCGI
internal import HTTPTypes
internal import Logging
internal import Sessions

/// The application as it stands once serving begins: what never changes, shared by all workers.
///
/// An error becomes a response where it is thrown, so the steps around that place see responses only.
struct Pipeline: Sendable {
    let routes: RouteTable
    let steps: [Application.Step]
    let authorizer: Endpoint?
    let errors: ErrorResponder
    let sessions: SessionManager

    /// Answers a request.
    ///
    /// - Parameter failure: Why no handler may see it: what the steps see then as the handler's answer.
    func answer(_ request: Request, _ failure: (any HTTPStatusError)? = nil) -> Response {
        var candidates = SessionIDCandidates()
        request.withCookieHeaders { candidates.collect(from: $0, named: sessions.cookie) }
        let session = sessions.open(
            candidates, isSecure: request.isSecure,
            client: sessions.limitsNewSessions ? request.remoteAddress : nil,
            isForHead: request.method == .head)
        var response = run(request, session, failure, step: 0)
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

    private func run(
        _ request: Request, _ session: Session, _ failure: (any HTTPStatusError)?, step index: Int
    ) -> Response {
        do {
            guard index == steps.count else {
                return try steps[index](request, session) { run($0, $1, failure, step: index + 1) }
            }
            if let failure { throw failure }
            let response = try route(request, session)
            // Where it fails (the store is full, say) the steps are to see the answer. Without steps the commit does it.
            if !steps.isEmpty { try session.saveIfUsed() }
            return response
        } catch {
            session.rollBack()
            return errors.response(to: error, request)
        }
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
}
