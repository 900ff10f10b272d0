/// An error of a library that knows nothing of HTTP's types, and yet which answer suits it.
package protocol AnsweredError: Error {
    /// What the client is told.
    var answer: ErrorAnswer { get }
}

/// What a client is told of an error.
package struct ErrorAnswer: Sendable, Equatable {
    /// The status code of HTTP.
    package let status: Int
    /// What the client is told beside the status; nil for the status alone.
    package let message: String?
    /// When the client may try again.
    package let retryAfter: Duration?
    /// Whether the library has logged it: a flood of such errors must not become a flood of lines.
    package let isReported: Bool

    package init(status: Int, message: String? = nil, retryAfter: Duration? = nil, isReported: Bool = false) {
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
        self.isReported = isReported
    }
}
