public import HTTPTypes

extension Response {
    /// Plain text in UTF-8.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: .string(text))
    }

    /// The server's own answer where nothing above it has one, with the header fields that pages are to have.
    package static func bare(_ status: HTTPResponse.Status) -> Response {
        var response = text("\(status.code) \(status.reasonPhrase)\n", status: status)
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

    /// A redirect to a path of the same site.
    ///
    /// Whatever a browser could take for another site becomes `/`: a target that does not start with a single slash, or
    /// holds a backslash or a control character, plain or encoded. For other sites set `Location` yourself.
    ///
    /// - Parameters:
    ///   - target: An absolute path with an optional query and fragment, already percent-encoded.
    ///   - status: 303 by default: the client follows with GET.
    public static func redirect(to target: String, status: HTTPResponse.Status = .seeOther) -> Response {
        Response(status: status, headers: [.location: isSameSite(target) ? target : "/"])
    }

    private static func isSameSite(_ target: String) -> Bool {
        let bytes = Array(target.utf8)
        guard bytes.first == UInt8(ascii: "/") else { return false }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) else { return false }
        let path = bytes.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        // "//host" and what decodes to it: a slash, backslash or control character behind the first slash.
        if path.count > 1, path[1] == UInt8(ascii: "/") { return false }
        let lowered = String(decoding: path, as: UTF8.self).lowercased()
        for suspect in ["%5c", "%0", "%1", "%7f"] where lowered.contains(suspect) { return false }
        return !lowered.hasPrefix("/%2f")
    }
}
