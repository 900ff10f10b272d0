internal import FastCGI
internal import GalletaPlatform
internal import HTTPTypes
internal import Logging
internal import Sessions

/// Makes the answer to an error: its status to the client, everything to the log.
struct ErrorResponder: Sendable {
    let custom: Application.ErrorHandler?
    let logger: Logger

    func response(to error: any Error, _ request: Request) -> Response {
        let answer = HTTPError(answering: error)
        report(error, answer.status, request)
        do {
            if var response = try custom?(error, request) {
                // What the status demands (Allow, Retry-After) is no matter of the page's words; nor is that a program would
                // have been told in text.
                for field in answer.headers.fields where response.headers[field.name] == nil {
                    response.headers.append(field.name, field.value)
                }
                if response.headers[.vary] == nil { response.headers[.vary] = "Accept" }
                return response
            }
        } catch {
            report(error, .internalServerError, request)
            return HTTPError(.internalServerError).response(to: request)
        }
        return answer.response(to: request)
    }

    private func report(_ error: any Error, _ status: HTTPResponse.Status, _ request: Request) {
        // The session manager reports its store's failures and a flood of new sessions itself, as others do theirs.
        if error is SessionStoreError || status == .tooManyRequests { return }
        if let error = error as? any AnsweredError, error.answer.isReported { return }
        // Its client has gone, which the access log tells.
        if error is CancellationError, request.isCancelled { return }
        let isOurs = status.code >= 500
        // What a handler tells the client on purpose is no news, unless it says that the server is at fault.
        if error is HTTPError, !isOurs { return }
        logger.log(
            level: isOurs ? .error : .info,
            "request failed: \(LogText.line("\(error)"))",
            metadata: [
                "request_id": "\(request.requestID.map(LogText.clean) ?? "-")",
                "method": "\(LogText.clean(request.method.rawValue))",
                "path": "\(LogText.clean(request.sentPath))",
                "status": "\(status.code)",
            ]
        )
    }
}
