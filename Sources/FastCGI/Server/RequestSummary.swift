internal import GalletaPlatform

/// A request that is over, for an access log or metrics.
///
/// Built for every request, whether a handler answered it, it was refused before, or it was cut; reading a property costs a
/// look-up.
public struct RequestSummary: Sendable {
    let context: RequestContext
    let startedAt: BootInstant
    /// The status of the answer. Where there was none to send: 400 for a head that was refused, 504 for a handler past its
    /// deadline, 503 for one that a stop has cut, 499 for a web server that has closed the connection.
    public let status: Int
    /// As nginx names it in its own log.
    static let peerHasGone = 499
    /// From the head to the end of the answer.
    public let duration: Duration
    /// The whole answer was handed to the web server.
    public let wasSent: Bool

    /// The method as it was sent.
    public var method: String { context.string(of: "REQUEST_METHOD") ?? "-" }

    /// The path as it was sent, without its query; SCRIPT_NAME and PATH_INFO where the web server did not say.
    public var path: String { context.sentPath }

    /// The web server's id of the request.
    public var requestID: String? { context.string(of: "REQUEST_ID") }

    /// The client's address as the web server saw it.
    public var remoteAddress: String? { context.string(of: "REMOTE_ADDR") }
}
