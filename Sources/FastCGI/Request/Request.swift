package import GalletaPlatform
public import HTTPTypes
public import Logging

/// One request from the web server.
///
/// A handle: copying it is cheap, keeping it after the response is allowed (its body can then no longer be read).
/// Parameters are looked up where libfcgi keeps them, not copied into a dictionary.
///
/// Threading: usable from any thread.
public struct Request: Sendable {
    /// What the web server wants (FastCGI 1.0, section 6).
    public enum Role: Sendable {
        /// An answer for the client.
        case responder
        /// A decision whether the client may go on.
        case authorizer
    }

    package let context: RequestContextBox
    let target: RequestTarget
    /// What is wrong with it, where no handler may see it.
    let failure: Unusable?

    /// The method, from REQUEST_METHOD (RFC 9110, section 9).
    public let method: HTTPRequest.Method
    /// Values that a router took out of the path, by name.
    package var captures: [(name: ByteString, value: String)] = []

    var inner: RequestContext { context.inner }

    /// The role in which the web server calls.
    public var role: Role { inner.role }

    /// The path below the mount point, starting with `/`: decoded, dot segments resolved, empty segments merged.
    ///
    /// A slash or a backslash that was encoded inside a segment stays encoded, as `%2F` or `%5C`, so a path never has more
    /// segments than the web server was asked for; to tell them from text, a percent sign before `2F`, `5C` or `25` is
    /// `%25`. Every other percent sign stands for itself: `/50%25` is `/50%`.
    ///
    /// Empty for a request that is answered with 400 or 404 because it has no path below the mount point: steps of an
    /// application see that answer.
    ///
    /// Swift's `==` takes canonically equivalent texts for equal, routes do not: where access depends on a path, compare
    /// `ByteString(request.path)`.
    public var path: String { target.path.string }

    /// The segments of ``path``, in the same form.
    public var segments: [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }

    /// What a piece of ``path`` means, with its slashes and backslashes.
    package static func decodedPathText(_ text: String) -> String { CanonicalPath.decoded(text) }

    /// ``path``, for comparisons.
    package var routedPath: ByteString { target.path }

    /// The path as it was sent, whatever became of it, without its query: for logs.
    package var sentPath: String { inner.sentPath }

    /// Web servers disagree whether ``path`` ends with its slash.
    package var endsInDoubt: Bool { target.endsWithDotSegment }

    /// The query as it was sent, without the question mark; empty when there is none.
    public var queryString: String { target.query }

    /// The query's fields, decoded as `application/x-www-form-urlencoded`; parsed anew at each call.
    ///
    /// Fields over the limit of ``FormLimits/maxFields`` are left out.
    public var query: FormFields {
        var fields = FormFields()
        try? fields.append(urlEncoded: Array(target.query.utf8), limits: inner.settings.formLimits)
        return fields
    }

    /// The mount point's prefix for links: `/app`, or the empty string at the root.
    public var mount: String { inner.settings.mount.path }

    /// `https` when ``isSecure``, else `http`.
    public var scheme: String { isSecure ? "https" : "http" }

    /// The web server says that the client's connection is encrypted: its HTTPS parameter is `on` or `1`, in any case.
    ///
    /// `X-Forwarded-Proto` is the client's word and never looked at.
    public var isSecure: Bool {
        guard let value = inner.value(of: "HTTPS") else { return false }
        return value.elementsEqual("1".utf8)
            || value.count == 2 && value[0] | 0x20 == UInt8(ascii: "o")
                && value[1] | 0x20 == UInt8(ascii: "n")
    }

    /// The client's address as the web server saw it (REMOTE_ADDR); empty when it did not say.
    public var remoteAddress: String { inner.string(of: "REMOTE_ADDR") ?? "" }

    /// The web server's id of the request (REQUEST_ID), for log lines on both sides.
    public var requestID: String? { inner.string(of: "REQUEST_ID").flatMap { $0.isEmpty ? nil : $0 } }

    /// The server's logger with the request's id as metadata: its lines can be found by the id that the web server logs.
    public var logger: Logger {
        var logger = inner.settings.logger
        logger[metadataKey: "request_id"] = "\(requestID.map(LogText.clean) ?? "-")"
        return logger
    }

    /// The body's media type (CONTENT_TYPE); nil when absent or empty.
    public var contentType: String? { inner.string(of: "CONTENT_TYPE").flatMap { $0.isEmpty ? nil : $0 } }

    /// The body's length in bytes (CONTENT_LENGTH); nil when the web server does not know it.
    ///
    /// Only this parameter counts, never a header of the client. Caddy streams chunked uploads with `-1`.
    public var contentLength: Int? { inner.contentLength }

    /// The body; read it once.
    public var body: RequestBody { RequestBody(context: inner) }

    /// The way into the web server's error log.
    public var errorStream: ErrorStream { ErrorStream(context: inner) }

    /// The body as a form: `application/x-www-form-urlencoded` or `multipart/form-data`. Read at the first call and kept for
    /// the others: a step may look at a form before its handler does.
    ///
    /// - Throws: ``FormError`` for a body that is no form (400, 415) or is over ``FormLimits`` (413);
    ///   ``RequestBodyError`` as ``RequestBody/read(into:)``.
    public func form() throws -> Form {
        if let form = inner.live.withLock({ $0.form }) { return form }
        let body = self.body
        let form: Form
        do {
            form = try Form.parse(contentType: contentType, limits: inner.settings.formLimits) {
                try body.read(into: $0)
            }
        } catch {
            if (error as? FormError)?.isStorage == true { inner.noteStorageFailure() }
            throw error
        }
        inner.live.withLock { $0.form = form }
        return form
    }

    // MARK: For the slow log

    /// Measures what the request's session asks of its store; nil where nobody wants to know.
    package var storeStopwatch: Stopwatch? {
        guard inner.isTimed else { return nil }
        return inner.live.withLock { $0.times?.store }
    }

    /// Says by which route it is answered, for the slow log.
    package func note(route: @autoclosure () -> String) {
        guard inner.isTimed else { return }
        let route = route()
        inner.time { $0.route = route }
    }

    // MARK: Its end

    /// Nobody waits for the answer any more: the web server has closed the connection, the time of the handler is over, or
    /// the server has stopped waiting for it. What a long handler does is in vain then.
    ///
    /// The task of an async handler is cancelled at the same time. Where a sync handler asks, this costs a system call.
    public var isCancelled: Bool { inner.isCancelled }

    /// Has something done as soon as ``isCancelled`` is known to be true: on whatever thread notices, so it must not block.
    package func onCancel(_ action: @escaping @Sendable () -> Void) {
        inner.addOnCancel(action)
    }

    /// Runs an async function on the calling thread until it has finished, and holds the worker meanwhile.
    ///
    /// Its tasks run on this thread alone unless they ask for another place.
    package func runOnWorker<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let executor = BlockingExecutor()
        return try inner.onCancel({ executor.cancelRunning() }) { try executor.run(body) }
    }
}

/// Hides the context's type from other targets while they carry it.
package struct RequestContextBox: Sendable {
    let inner: RequestContext
}
