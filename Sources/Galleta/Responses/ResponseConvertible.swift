public import FastCGI
public import HTTPTypes
public import Sessions

/// What a handler may return: anything that makes a response.
///
/// Ready are `Response`, `String` (plain text), ``HTML``, a status (a short page, or no content), and an optional of these:
/// nil is 404. A type of one's own:
///
/// ```swift
/// extension Invoice: ResponseConvertible {
///     func response(to request: Request) throws -> Response { try .json(self) }
/// }
/// ```
public protocol ResponseConvertible: SendableMetatype {
    /// The response to a request. What it throws is answered as if the handler had thrown it.
    func response(to request: Request) throws -> Response
}

extension Response: ResponseConvertible {
    /// Itself.
    public func response(to request: Request) -> Response { self }
}

extension String: ResponseConvertible {
    /// The text, as plain text in UTF-8.
    public func response(to request: Request) -> Response { .text(self) }
}

extension HTML: ResponseConvertible {
    /// A page.
    public func response(to request: Request) -> Response { .html(self) }
}

extension HTTPResponse.Status: ResponseConvertible {
    /// For an error of the client or the server the page that `HTTPError` has; else no content.
    public func response(to request: Request) -> Response {
        code >= 400 ? HTTPError(self).response(to: request) : Response(status: self)
    }
}

extension Optional: ResponseConvertible where Wrapped: ResponseConvertible {
    /// What it holds; nil is 404.
    public func response(to request: Request) throws -> Response {
        guard let self else { throw HTTPError(.notFound) }
        return try self.response(to: request)
    }
}

// MARK: Forms of content

extension Response {
    /// A value as JSON (RFC 8259), without Foundation.
    ///
    /// - Parameters:
    ///   - value: Objects keep the order of their keys as the encoder meets them, or are sorted; bytes are arrays of
    ///     numbers as `Codable` has them, and Foundation's dates texts in UTC (ISO 8601).
    ///   - status: The status.
    /// - Throws: `EncodingError` for what JSON cannot hold, such as a NaN.
    public static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        try json(SessionValue(encodingForJSON: value), status: status)
    }

    /// A value as JSON.
    public static func json(_ value: SessionValue, status: HTTPResponse.Status = .ok) throws -> Response {
        try .bytes(value.jsonBytes(), type: "application/json", status: status)
    }

    /// An HTML page in UTF-8.
    public static func html(_ page: HTML, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: .string(page.markup))
    }
}

/// A string literal in a handler is a plain text response; interpolation works as in any string.
extension Response: ExpressibleByStringInterpolation {
    /// A plain text response with status 200.
    public init(stringLiteral value: String) {
        self = .text(value)
    }
}
