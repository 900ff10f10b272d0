package import HTTPTypes

extension HTTPResponse.Status {
    /// The reason phrase of a status line, never empty: the status's own, the registered one of its code, or the name of its
    /// class (RFC 9110, section 15).
    ///
    /// A status that was made from its number has no phrase of its own, and web servers pass on a line without one as it is.
    package var phrase: String {
        if !reasonPhrase.isEmpty { return reasonPhrase }
        if let known = Self.phrases[code] { return known }
        return switch kind {
        case .successful: "Successful"
        case .redirection: "Redirection"
        case .clientError: "Client Error"
        case .serverError: "Server Error"
        case .informational, .invalid: "Unknown"
        }
    }

    private static let phrases: [Int: String] = {
        let known: [HTTPResponse.Status] = [
            .ok, .created, .accepted, .nonAuthoritativeInformation, .noContent, .resetContent, .partialContent,
            .multipleChoices, .movedPermanently, .found, .seeOther, .notModified, .temporaryRedirect,
            .permanentRedirect, .badRequest, .unauthorized, .forbidden, .notFound, .methodNotAllowed, .notAcceptable,
            .proxyAuthenticationRequired, .requestTimeout, .conflict, .gone, .lengthRequired, .preconditionFailed,
            .contentTooLarge, .uriTooLong, .unsupportedMediaType, .rangeNotSatisfiable, .expectationFailed,
            .misdirectedRequest, .unprocessableContent, .tooEarly, .upgradeRequired, .preconditionRequired,
            .tooManyRequests, .requestHeaderFieldsTooLarge, .unavailableForLegalReasons, .internalServerError,
            .notImplemented, .badGateway, .serviceUnavailable, .gatewayTimeout, .httpVersionNotSupported,
            .networkAuthenticationRequired,
        ]
        return Dictionary(uniqueKeysWithValues: known.map { ($0.code, $0.reasonPhrase) })
    }()
}
