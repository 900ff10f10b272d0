public import Galleta
public import HTTPTypes
internal import Sessions

/// What an application answered to a request of a test.
public struct TestReply: Sendable {
    /// The request.
    public let request: TestRequest
    /// Whether the request was sent as one that came by HTTPS.
    public let isSecure: Bool
    /// The status.
    public let status: HTTPResponse.Status
    /// The header fields, in their order; `headers[values: .setCookie]` has all values of one.
    public let headers: HTTPFields
    /// The content.
    public internal(set) var body: [UInt8] = []
    /// What handlers wrote for the web server's error log (`Request.errorStream`), a message each.
    public internal(set) var errorStream: [String] = []
    /// What the library has logged of the request, a line each: why the status is 500, for one. And what handlers have logged
    /// by `Request.logger`, from warnings on.
    public internal(set) var errors: [String] = []
    /// Cookies that a browser would not have taken, and why.
    public internal(set) var refusedCookies: [String] = []

    /// The content as text; what is not UTF-8 is replaced by U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The content as a value in JSON (RFC 8259).
    ///
    /// - Parameter type: What is expected; `SessionValue` takes any JSON.
    /// - Throws: `SessionError` of code `invalidEncoding` for what is no JSON, and `DecodingError` for a field that is missing
    ///   or of another type.
    public func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try SessionValue(json: body).decode(Value.self)
    }

    /// The content as server-sent events (HTML Standard, section 9.2).
    public var events: [ServerSentEvent] {
        var parser = EventParser()
        return parser.add(body)
    }
}

extension TestReply: CustomStringConvertible {
    /// Status, request, the beginning of the content and what was logged: what a failed expectation shows.
    public var description: String {
        var text = "\(status.code) \(status.reasonPhrase) to \(request.method.rawValue) \(request.target)"
        text += body.isEmpty ? ", no body" : ", \(body.count) bytes: \(String(self.text.prefix(200)).debugDescription)"
        if !errors.isEmpty { text += "; errors: " + errors.joined(separator: "; ") }
        if !refusedCookies.isEmpty { text += "; refused cookies: " + refusedCookies.joined(separator: "; ") }
        return text
    }
}
