internal import FastCGI
internal import GalletaPlatform
internal import HTTPTypes
internal import Sessions

extension HTTPError {
    /// What the client is told of an error: of one that a handler may throw the status and the words that the library answers
    /// with, of any other 500 and nothing else. For ``Application/onError(_:)``.
    public init(answering error: any Error) {
        switch error {
        case let error as HTTPError:
            self = error
        case let error as SessionStoreError where error.reason == .unsaved:
            // It is done: to come back would help nobody.
            self.init(
                .internalServerError,
                "What you asked for is done. It could not be put on the disk, so a crash of the server may undo it.")
        case let error as SessionStoreError:
            // The store is down or full: the client shall come back, and keep its cookie.
            self.init(.serviceUnavailable, headers: Self.retry(after: error.retryAfter))
        case let error as SessionError where error.code == .tooManySessions:
            // RFC 6585, section 4.
            self.init(.tooManyRequests, headers: Self.retry(after: error.retryAfter ?? .seconds(1)))
        case let error as SessionError where error.code == .invalidEncoding:
            // JSON that a handler reads is the client's; what a store holds is an error of the store.
            self.init(.badRequest, error.message)
        case let error as DecodingError:
            // So is what it decodes; the session answers for its own values itself.
            self.init(.badRequest, Self.description(of: error))
        case let error as FormError where error.status == .unsupportedMediaType:
            self.init(
                error.status,
                "send a form, as application/x-www-form-urlencoded or multipart/form-data in UTF-8")
        case let error as any HTTPStatusError:
            self.init(error.status)
        case let error as any AnsweredError:
            let answer = error.answer
            self.init(
                HTTPResponse.Status(code: answer.status), answer.message,
                headers: answer.retryAfter.map(Self.retry) ?? ResponseHeaders())
        default:
            self.init(.internalServerError)
        }
    }

    private static func retry(after time: Duration) -> ResponseHeaders {
        // Whole seconds, and not before the time: rounded up.
        let (seconds, rest) = time.components
        return [.retryAfter: String(max(1, seconds + (rest > 0 ? 1 : 0))), .cacheControl: "no-store"]
    }

    /// Names the field, never a value.
    private static func description(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            return "the field \"\(path(context.codingPath + [key]))\" is missing"
        case .valueNotFound(_, let context):
            return "the field \"\(path(context.codingPath))\" is missing"
        case .typeMismatch(_, let context), .dataCorrupted(let context):
            guard !context.codingPath.isEmpty else { break }
            return "the field \"\(path(context.codingPath))\" has not the expected form"
        @unknown default: break
        }
        return "what was sent has not the expected form"
    }

    /// `items[2].price`
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }
    }
}
