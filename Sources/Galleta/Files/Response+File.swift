public import FastCGI
internal import GalletaPlatform
internal import HTTPTypes

extension Response {
    /// A file as the client needs it: 304 where its copy is good, 206 for a range, 404 where there is none, no body on HEAD.
    ///
    /// It has an `ETag` of time and length, and `Last-Modified`; `If-None-Match`, `If-Modified-Since`, `If-Match`,
    /// `If-Unmodified-Since`, `Range` (one range; of several the whole) and `If-Range` are kept to (RFC 9110, sections 13 and
    /// 14). Where the client chooses the name, use ``Application/files(_:from:index:maxAge:)`` or a name of your own.
    ///
    /// - Parameters:
    ///   - path: The file; symbolic links are followed.
    ///   - request: The request that it answers.
    ///   - type: The media type; nil is by the name's end.
    /// - Throws: ``HTTPError`` of status 404, 412 or 416; `ResponseError` for a file that is there and cannot be read (500).
    public static func file(_ path: String, for request: Request, type: String? = nil) throws -> Response {
        try file(opening { () throws(ResponseError) in try ResponseFile(path: path) }, for: request, type: type)
    }

    /// As ``file(_:for:type:)``, of a file that was opened before.
    public static func file(_ file: ResponseFile, for request: Request, type: String? = nil) throws -> Response {
        let conditions = FileConditions(file)
        var headers: ResponseHeaders = [
            .eTag: conditions.tag, .lastModified: conditions.modified.text, .acceptRanges: "bytes",
        ]
        switch conditions.outcome(for: request) {
        case .notModified:
            return Response(status: .notModified, headers: headers)
        case .failed:
            throw HTTPError(.preconditionFailed)
        case .unsatisfiable:
            throw HTTPError(.rangeNotSatisfiable, headers: [.contentRange: "bytes */\(file.length)"])
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.length)"
            headers[.contentType] = type ?? MediaType.of(file.path)
            return Response(status: .partialContent, headers: headers, body: .file(file, range: range))
        case .whole:
            headers[.contentType] = type ?? MediaType.of(file.path)
            return Response(headers: headers, body: .file(file))
        }
    }

    /// Opens a file; one that is missing is the client's error.
    static func opening(_ open: () throws(ResponseError) -> ResponseFile) throws -> ResponseFile {
        do throws(ResponseError) {
            return try open()
        } catch {
            throw error.isMissingFile ? HTTPError(.notFound) : error
        }
    }

    /// A file that the web server is to send: `X-Accel-Redirect` for nginx and Caddy, `X-Sendfile` for Apache and lighttpd, by
    /// the parameter SERVER_SOFTWARE. Where that says nothing the file is sent from here.
    ///
    /// The handler decides who may have it, and the worker is free at once. nginx needs an internal location for `location`,
    /// Apache mod_xsendfile, lighttpd `x-sendfile`, Caddy `handle_response`.
    ///
    /// - Parameters:
    ///   - path: The file on disk, absolute.
    ///   - location: Its address inside nginx or Caddy, not encoded: `/protected/7.jpg`.
    ///   - request: The request that it answers.
    ///   - type: The media type; nil is by the name's end.
    /// - Throws: As ``file(_:for:type:)`` where the file is sent from here.
    public static func file(
        _ path: String, at location: String, for request: Request, type: String? = nil
    ) throws -> Response {
        let software = (request.fastCGI["SERVER_SOFTWARE"] ?? "").lowercased()
        var headers: ResponseHeaders = [.contentType: type ?? MediaType.of(path)]
        if software.hasPrefix("nginx") || software.hasPrefix("caddy") {
            headers.append(accelRedirect, reference(location))
        } else if software.hasPrefix("apache") || software.hasPrefix("lighttpd") {
            headers.append(sendfile, reference(path))
        } else {
            return try file(path, for: request, type: type)
        }
        return Response(headers: headers)
    }

    private static let accelRedirect = HTTPField.Name("X-Accel-Redirect")!
    private static let sendfile = HTTPField.Name("X-Sendfile")!

    /// A path as a reference has it (RFC 3986, section 3.3).
    private static func reference(_ path: String) -> String {
        PercentCoding.encode(path, keeping: "/-._~!$&'()*+,;=:@")
    }
}
