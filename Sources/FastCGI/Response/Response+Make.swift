public import HTTPTypes

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

    /// An HTML page in UTF-8.
    public static func html(_ page: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: .string(page))
    }

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: type], body: .bytes(bytes))
    }

    /// A regular file of a media type.
    public static func file(_ path: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: type], body: .file(path: path))
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
