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
        /// A regular file, read while it is sent. Its length is taken when it is opened; a missing or unreadable file
        /// is a 500, for the handler decides what a client may ask for.
        case file(path: String)
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
