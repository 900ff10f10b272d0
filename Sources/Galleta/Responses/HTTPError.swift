public import FastCGI
public import HTTPTypes

/// An error that a handler throws to answer with a status of its choice.
///
/// Its message goes to the client; any other error tells the client nothing but its status.
public struct HTTPError: Error, HTTPStatusError, CustomStringConvertible {
    /// The status of the response.
    public let status: HTTPResponse.Status
    /// What the client is told beside the status; nil for the status alone.
    public let message: String?
    /// A way on for the visitor.
    public let link: Link?
    /// Further header fields.
    public let headers: ResponseHeaders

    /// A link on the page of an error.
    public struct Link: Sendable {
        /// The address, such as a path of the application with its mount.
        public let target: String
        /// What the visitor reads.
        public let text: String

        /// - Parameters:
        ///   - text: What the visitor reads.
        ///   - target: The address.
        public init(_ text: String, to target: String) {
            self.text = text
            self.target = target
        }
    }

    /// - Parameters:
    ///   - status: The status of the response.
    ///   - message: What the client is told; nothing internal belongs here.
    ///   - link: A way on for the visitor.
    ///   - headers: Further header fields.
    public init(
        _ status: HTTPResponse.Status, _ message: String? = nil, link: Link? = nil,
        headers: ResponseHeaders = ResponseHeaders()
    ) {
        self.status = status
        self.message = message
        self.link = link
        self.headers = headers
    }

    /// Status and message.
    public var description: String {
        "\(status.code) \(status.phrase)" + (message.map { ": \($0)" } ?? "")
    }

    /// The answer that the library makes of this error: an HTML page for a client that asks for `text/html`, else text.
    ///
    /// For ``Application/onError(_:)``, where only the words are to be others.
    public func response(to request: Request) -> Response {
        ErrorPage(error: self).response(to: request)
    }
}
