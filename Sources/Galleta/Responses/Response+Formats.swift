public import FastCGI
public import HTTPTypes
public import Sessions

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
