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
        /// be written. The closure runs on the worker, or on its executor; what it throws ends the connection, so that
        /// the web server sees a cut answer and no complete one.
        case stream(length: Int?, write: @Sendable (ResponseWriter) throws -> Void)
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
