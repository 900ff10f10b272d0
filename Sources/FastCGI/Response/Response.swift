public import HTTPTypes

/// An answer to a request.
///
/// The server adds `Status` and, when the length is known, an exact `Content-Length`; it sends no body on HEAD, 204, 205
/// and 304. `Content-Length`, `Transfer-Encoding`, `Connection` and `Status` are the server's: a handler that sets one of
/// them gets an error in the log and the client a 500.
public struct Response: Sendable {
    /// The status (RFC 9110, section 15).
    public var status: HTTPResponse.Status
    /// The header fields.
    public var headers: ResponseHeaders
    /// The content.
    public var body: Body

    /// The content of a response.
    public enum Body: Sendable {
        /// None.
        case empty
        /// Bytes.
        case bytes([UInt8])
        /// Text in UTF-8.
        case string(String)
        /// A file, or a part of it, read while it is sent. `range` in bytes; nil is all of it.
        case file(ResponseFile, range: Range<Int>? = nil)
        /// Written by a closure once the header is sent. `length` in bytes if it is known: then exactly so many must
        /// be written. The closure runs on the worker. What it throws before anything was sent is a 500; later it ends the
        /// connection, so that the web server sees a cut answer and no complete one.
        case stream(length: Int?, write: @Sendable (ResponseWriter) throws -> Void)
        /// Written by an async closure once the header is sent, without a thread while it waits. `length` as for `stream`. The
        /// handler timeout ends with the header; what the closure throws ends the connection. Its task is cancelled when the
        /// client goes, or stops reading for the write timeout. Without a length the field `X-Accel-Buffering: no` is added,
        /// so that nginx passes on what comes when it comes.
        case asyncStream(length: Int?, write: @Sendable (AsyncResponseWriter) async throws -> Void)
        /// Server-sent events, as `asyncStream`. A comment every 15 s keeps the connection alive. When the server stops, the
        /// closure's task is cancelled and the client asked to come back after a second.
        case events(write: @Sendable (EventWriter) async throws -> Void)
    }

    /// - Parameters:
    ///   - status: The status.
    ///   - headers: The header fields.
    ///   - body: The content.
    public init(status: HTTPResponse.Status = .ok, headers: ResponseHeaders = ResponseHeaders(), body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

extension Response {
    /// Plain text in UTF-8.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: .string(text))
    }

    /// The server's own answer where nothing above it has one, with the header fields that pages are to have.
    package static func bare(_ status: HTTPResponse.Status) -> Response {
        var response = text("\(status.code) \(status.phrase)\n", status: status)
        response.secure()
        return response
    }

    /// Sets the header fields that an answer has which no step of an application sees.
    package mutating func secure() {
        headers[.xContentTypeOptions] = "nosniff"
        headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        headers[HTTPField.Name("Referrer-Policy")!] = "same-origin"
        headers[.cacheControl] = "no-store"
    }

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: type], body: .bytes(bytes))
    }

    /// A file of a media type, whole, whatever the client has of it: `Galleta` has one that knows conditions and ranges.
    ///
    /// - Throws: ``ResponseError`` when it cannot be read: a missing file is a 500, for the handler decides what a client may ask for.
    public static func file(
        _ path: String, type: String, status: HTTPResponse.Status = .ok
    ) throws(ResponseError) -> Response {
        Response(status: status, headers: [.contentType: type], body: .file(try ResponseFile(path: path)))
    }

    /// Content that a closure writes; see ``Body/stream(length:write:)``.
    public static func stream(
        type: String,
        length: Int? = nil,
        status: HTTPResponse.Status = .ok,
        _ write: @escaping @Sendable (ResponseWriter) throws -> Void
    ) -> Response {
        Response(status: status, headers: [.contentType: type], body: .stream(length: length, write: write))
    }

    /// A body written by an async closure, which holds no thread while it waits; see ``Body/asyncStream(length:write:)``.
    ///
    /// - Parameters:
    ///   - type: The media type.
    ///   - status: The status.
    ///   - length: In bytes, if it is known: exactly so many must be written.
    ///   - write: Writes the body.
    public static func asyncStream(
        type: String, status: HTTPResponse.Status = .ok, length: Int? = nil,
        _ write: @escaping @Sendable (AsyncResponseWriter) async throws -> Void
    ) -> Response {
        Response(status: status, headers: [.contentType: type], body: .asyncStream(length: length, write: write))
    }

    /// Server-sent events, until the closure returns or the client goes; see ``Body/events(write:)``.
    ///
    /// ```swift
    /// app.get("/news") { _, _ in
    ///     .events { events in
    ///         for await item in news() { try await events.send(item.text, id: item.id) }
    ///     }
    /// }
    /// ```
    public static func events(_ write: @escaping @Sendable (EventWriter) async throws -> Void) -> Response {
        Response(
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: .events(write: write))
    }

    /// A redirect to a path of the same site.
    ///
    /// Characters beyond ASCII are percent-encoded. Whatever a browser could take for another site is refused, and so is
    /// what has no one meaning: a target that does not start with a single slash, or holds a blank, a backslash or a
    /// control character, plain or encoded in the path. Where a client has chosen the target, decide what such a one gets:
    ///
    ///     (try? .redirect(to: form.fields["next"] ?? "/")) ?? .redirect(to: "/")
    ///
    /// - Parameters:
    ///   - target: An absolute path with an optional query and fragment; what is percent-encoded stays as it is.
    ///   - status: 303 by default: the client follows with GET.
    /// - Throws: ``ResponseError`` that says what is wrong with the target, never its text.
    public static func redirect(
        to target: String, status: HTTPResponse.Status = .seeOther
    ) throws(ResponseError) -> Response {
        Response(status: status, headers: [.location: try RedirectTarget(sameSite: target).location])
    }

    /// A redirect to another site, or by a whole URL: never with a target that a client has chosen.
    ///
    /// - Parameters:
    ///   - target: A URL of `http` or `https` with a host in ASCII and no user name. Characters beyond ASCII behind the host
    ///     are percent-encoded.
    ///   - status: 303 by default: the client follows with GET.
    /// - Throws: ``ResponseError`` that says what is wrong with the target, never its text.
    public static func redirect(
        toExternal target: String, status: HTTPResponse.Status = .seeOther
    ) throws(ResponseError) -> Response {
        Response(status: status, headers: [.location: try RedirectTarget(external: target).location])
    }
}
