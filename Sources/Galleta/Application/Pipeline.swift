internal import FastCGI
internal import HTTPTypes
internal import Logging
internal import Sessions

/// The application as it stands once serving begins: what never changes, shared by all workers.
///
/// An error becomes a response where it is thrown, so the steps around that place see responses only. A request whose handler
/// and steps are all sync is answered on the worker that took it; any other becomes a task, which holds none while it waits.
/// So does one that would have its worker wait for a session store that can be awaited.
struct Pipeline: Sendable {
    let routes: RouteTable
    /// Those of the application: around what no route answers.
    let steps: StepList
    let authorizer: Endpoint?
    let errors: ErrorResponder
    let sessions: SessionManager
    /// Whether log lines are to find the request's id.
    var bindsMetadata = false
    let seat = StoreSeat()

    /// What a request comes to, behind the steps.
    private enum Destination {
        case endpoint(Endpoint)
        /// No handler may see it, or there is none.
        case failure(any Error)
        case response(Response)

        var isAsync: Bool {
            if case .endpoint(let endpoint) = self { endpoint.isAsync } else { false }
        }

        var habit: SessionHabit? {
            if case .endpoint(let endpoint) = self { endpoint.habit } else { nil }
        }
    }

    private func steps(around destination: Destination) -> StepList {
        if case .endpoint(let endpoint) = destination { endpoint.steps } else { steps }
    }

    /// Answers a request, or says how to.
    ///
    /// - Parameter failure: Why no handler may see it: what the steps see then as the handler's answer.
    func answer(_ request: Request, _ failure: (any HTTPStatusError)? = nil) -> Server.Reply {
        var request = request
        let session = session(of: request)
        let destination = failure.map { .failure($0) } ?? destination(of: &request)
        if case .endpoint(let endpoint) = destination { request.note(route: endpoint.pattern) }
        let steps = steps(around: destination)
        guard steps.lastAsync == nil, !destination.isAsync else {
            return task(request, session, destination, steps)
        }
        guard let provider = sessions.asyncProvider, let habit = destination.habit else {
            return answerHere(request, session, destination, steps)
        }
        let waits = habit.usesSession(unknown: sessions.isLockedByOthers)
        guard !waits || (!provider.isBusy && seat.take()) else { return task(request, session, destination, steps) }
        defer { if waits { seat.leave() } }
        let reply = answerHere(request, session, destination, steps)
        habit.note(session.isUsed)
        return reply
    }

    /// Answers on this worker, which does not wait until a log-in or a log-out is on the disk.
    private func answerHere(
        _ request: Request, _ session: Session, _ destination: Destination, _ steps: StepList
    ) -> Server.Reply {
        guard bindsMetadata else { return finish(run(request, session, destination, steps, 0), request, session) }
        return RequestMetadata.$current.withValue(RequestMetadata.of(request)) {
            finish(run(request, session, destination, steps, 0), request, session)
        }
    }

    private func task(
        _ request: Request, _ session: Session, _ destination: Destination, _ steps: StepList
    ) -> Server.Reply {
        .task {
            guard bindsMetadata else { return await answerAsync(request, session, destination, steps) }
            return await RequestMetadata.$current.withValue(RequestMetadata.of(request)) {
                await answerAsync(request, session, destination, steps)
            }
        }
    }

    private func answerAsync(
        _ request: Request, _ session: Session, _ destination: Destination, _ steps: StepList
    ) async -> Response {
        let habit = sessions.asyncProvider == nil ? nil : destination.habit
        if habit?.usesSession(unknown: sessions.isLockedByOthers) == true { await session.prefetch() }
        var response = await runAsync(request, session, destination, steps, 0)
        do {
            SessionHeaders.apply(try await session.commitAsync(), to: &response)
        } catch {
            // What stands all the same, a rotation say, may still have to be waited for.
            response = await settle(failCommit(error, request, session), request, session)
        }
        habit?.note(session.isUsed)
        return response
    }

    /// - Parameter isForHandler: Whether the request goes on with it: locks are taken for nobody else.
    private func session(of request: Request, isForHandler: Bool = true) -> Session {
        var candidates = SessionIDCandidates()
        if sessions.asyncProvider != nil {
            candidates.mayChangeSession = isForHandler && !request.isSafe
            candidates.mayWait = isForHandler
        }
        request.withCookieHeaders { sessions.collectIDs(from: $0, into: &candidates) }
        if sessions.isLockedByOthers, candidates.mayChangeSession, !candidates.isEmpty {
            let end = RequestEnd()
            candidates.end = end
            request.onCancel { end.come() }
        }
        return sessions.open(
            candidates, isSecure: request.isSecure,
            client: sessions.limitsNewSessions ? request.remoteAddress : nil,
            isForHead: request.method == .head, stopwatch: request.storeStopwatch)
    }

    /// Decides by the head of a request what it may send: its route has a limit, or checks that can refuse it at once.
    func admit(_ request: Request) -> Server.Verdict {
        var request = request
        guard request.contentLength != 0, request.contentLength != nil || request.method != .get else {
            return .body(limit: nil)
        }
        guard case .endpoint(let endpoint) = destination(of: &request) else {
            // Nobody will read it: it shall fill no disk.
            let isLarge = request.contentLength ?? .max > Server.bodyBytesInMemory
            return .body(limit: isLarge ? Server.bodyBytesInMemory : nil)
        }
        let limit = endpoint.maxBodyBytes
        guard endpoint.steps.hasChecks, request.contentLength ?? .max > Server.bodyBytesInMemory else {
            return .body(limit: limit)
        }
        let session = session(of: request, isForHandler: false)
        for case let check? in endpoint.steps.steps.map(\.check) {
            do {
                guard try check(request, session) == nil else { return .discard }
            } catch let error as SessionStoreError where error.reason == .busy {
                // Nobody waits for a head. The request itself may, without a worker.
                break
            } catch {
                return .discard
            }
        }
        return .body(limit: limit)
    }

    /// Commits the session, and gives the response what that demands.
    private func finish(_ answer: Response, _ request: Request, _ session: Session) -> Server.Reply {
        var response = answer
        // What stands although the commit fails, a rotation say, may have to be waited for.
        var isUnsettled = true
        do {
            let commit = try session.commitUnsettled()
            isUnsettled = commit.isUnsettled
            SessionHeaders.apply(commit, to: &response)
        } catch {
            response = failCommit(error, request, session)
        }
        do {
            if try !isUnsettled || session.isSettled { return .response(response) }
        } catch {
            return .response(failCommit(error, request, session))
        }
        return .task { [response] in
            guard bindsMetadata else { return await settle(response, request, session) }
            return await RequestMetadata.$current.withValue(RequestMetadata.of(request)) {
                await settle(response, request, session)
            }
        }
    }

    /// The response, once what the request has changed is on the disk.
    private func settle(_ response: Response, _ request: Request, _ session: Session) async -> Response {
        do {
            try await session.settleAsync()
            return response
        } catch {
            return failCommit(error, request, session)
        }
    }

    /// Only what a step has changed behind its `next` can fail here, or a store that has failed since.
    private func failCommit(_ error: any Error, _ request: Request, _ session: Session) -> Response {
        var response = errors.response(to: error, request)
        response.secure()
        SessionHeaders.apply(session.discard(), to: &response)
        return response
    }

    /// The rest of the way, from a step on behind which all is sync.
    private func run(
        _ request: Request, _ session: Session, _ destination: Destination, _ steps: StepList, _ index: Int
    ) -> Response {
        do {
            if index < steps.steps.count {
                let step = steps.steps[index]
                if let check = step.check, let refusal = try check(request, session) { return refusal }
                switch step.action {
                case .sync(let body), .either(let body, _):
                    return try body(request, session) { run($0, $1, destination, steps, index + 1) }
                case .async, nil: return run(request, session, destination, steps, index + 1)
                }
            }
            let response: Response
            switch destination {
            case .endpoint(let endpoint): response = try endpoint.answer(request, session)
            case .failure(let error): throw error
            case .response(let ready): response = ready
            }
            try saveForSteps(session, steps)
            return response
        } catch {
            return fail(error, request, session, steps, index)
        }
    }

    /// The rest of the way from any step on.
    private func runAsync(
        _ request: Request, _ session: Session, _ destination: Destination, _ steps: StepList, _ index: Int
    ) async -> Response {
        guard isAsync(behind: index, steps, destination) else {
            return run(request, session, destination, steps, index)
        }
        do {
            guard index < steps.steps.count else {
                guard case .endpoint(let endpoint) = destination else {
                    return run(request, session, destination, steps, index)
                }
                let response = try await endpoint.answerAsync(request, session)
                if !steps.steps.isEmpty { try await session.saveIfUsedAsync() }
                return response
            }
            let step = steps.steps[index]
            if let check = step.check, let refusal = try check(request, session) { return refusal }
            switch step.action {
            case nil:
                return await runAsync(request, session, destination, steps, index + 1)
            case .async(let body), .either(_, let body):
                return try await body(request, session) { await runAsync($0, $1, destination, steps, index + 1) }
            case .sync(let body):
                // It cannot suspend: what is behind it holds this worker.
                return try body(request, session) { request, session in
                    do {
                        return try request.runOnWorker {
                            await runAsync(request, session, destination, steps, index + 1)
                        }
                    } catch {
                        return fail(error, request, session)
                    }
                }
            }
        } catch {
            return fail(error, request, session, steps, index)
        }
    }

    /// Whether something from a step on may suspend, be it to bring the session to the store.
    private func isAsync(behind index: Int, _ steps: StepList, _ destination: Destination) -> Bool {
        if destination.isAsync || index <= steps.lastAsync ?? -1 { return true }
        return sessions.asyncProvider != nil && index > steps.lastSync ?? -1
    }

    /// Where it fails (the store is full, say) the steps are to see the answer. Without steps the commit does it.
    private func saveForSteps(_ session: Session, _ steps: StepList) throws {
        if !steps.steps.isEmpty { try session.saveIfUsed() }
    }

    /// The answer to what a step has thrown. Where it is that nothing was kept of the body, a check further in has refused it by
    /// the head, and knows why.
    private func fail(
        _ error: any Error, _ request: Request, _ session: Session, _ steps: StepList, _ index: Int
    ) -> Response {
        guard let refused = error as? RequestBodyError, refused.isRefused else { return fail(error, request, session) }
        do {
            for case let check? in steps.steps.dropFirst(index + 1).map(\.check) {
                if let refusal = try check(request, session) { return refusal }
            }
            // By now none refuses it: the store was busy, say, as the head was there.
            let again = HTTPError(.serviceUnavailable, headers: [.retryAfter: "1", .cacheControl: "no-store"])
            return fail(again, request, session)
        } catch {
            return fail(error, request, session)
        }
    }

    private func fail(_ error: any Error, _ request: Request, _ session: Session) -> Response {
        session.rollBack()
        return errors.response(to: error, request)
    }

    /// Gives the request the values that its route takes out of the path.
    private func destination(of request: inout Request) -> Destination {
        if request.role == .authorizer {
            return authorizer.map { .endpoint($0) } ?? .failure(HTTPError(.forbidden))
        }
        switch routes.match(request) {
        case .endpoint(let endpoint, let captures):
            if !captures.isEmpty { request.captures = captures }
            return .endpoint(endpoint)
        case .otherMethods(let methods):
            let allow = methods.joined(separator: ", ")
            if request.method == .options { return .response(Response(status: .noContent, headers: [.allow: allow])) }
            return .failure(HTTPError(.methodNotAllowed, headers: [.allow: allow]))
        case .none:
            return .failure(HTTPError(.notFound))
        }
    }
}
