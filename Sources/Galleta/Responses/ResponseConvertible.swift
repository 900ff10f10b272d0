public import FastCGI
public import HTTPTypes

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
