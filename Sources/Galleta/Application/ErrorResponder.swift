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
            if let response = try custom?(error, request) { return response }
        } catch {
            report(error, .internalServerError, request)
            return HTTPError(.internalServerError).response(to: request)
        }
        return answer.response(to: request)
    }

    private func report(_ error: any Error, _ status: HTTPResponse.Status, _ request: Request) {
        // The session manager reports its store's failures and a flood of new sessions itself.
        if error is SessionStoreError || status == .tooManyRequests { return }
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

extension HTTPError {
    /// What the client is told of an error.
    init(answering error: any Error) {
        switch error {
        case let error as HTTPError:
            self = error
        case let error as SessionStoreError:
            // The store is down or full: the client shall come back, and keep its cookie.
            self.init(.serviceUnavailable, headers: Self.retry(after: error.retryAfter))
        case let error as SessionError where error.code == .tooManySessions:
            // RFC 6585, section 4.
            self.init(.tooManyRequests, headers: Self.retry(after: error.retryAfter ?? .seconds(1)))
        case let error as SessionError where error.code == .invalidEncoding:
            // JSON that a handler reads is the client's; what stores hold is a store's error.
            self.init(.badRequest)
        case let error as any HTTPStatusError:
            self.init(error.status)
        default:
            self.init(.internalServerError)
        }
    }

    private static func retry(after time: Duration) -> ResponseHeaders {
        [.retryAfter: String(max(1, time.components.seconds)), .cacheControl: "no-store"]
    }
}
