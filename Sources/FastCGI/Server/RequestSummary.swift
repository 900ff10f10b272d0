internal import GalletaPlatform

/// A request that was answered, for an access log or metrics.
///
/// Built for every request, answered by a handler or refused before it; reading a property costs a look-up.
public struct RequestSummary: Sendable {
    let context: RequestContext
    let startedAt: BootInstant
    /// The status of the answer.
    public let status: Int
    /// From the head to the end of the answer.
    public let duration: Duration
    /// The whole answer was handed to the web server.
    public let wasSent: Bool

    /// The method as it was sent.
    public var method: String { context.string(of: "REQUEST_METHOD") ?? "-" }

    /// The path as it was sent, without its query; SCRIPT_NAME and PATH_INFO where the web server did not say.
    public var path: String {
        guard let uri = context.value(of: "REQUEST_URI") else {
            let path = (context.string(of: "SCRIPT_NAME") ?? "") + (context.string(of: "PATH_INFO") ?? "")
            return path.isEmpty ? "-" : path
        }
        return String(decoding: uri.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self)
    }

    /// The web server's id of the request.
    public var requestID: String? { context.string(of: "REQUEST_ID") }

    /// The client's address as the web server saw it.
    public var remoteAddress: String? { context.string(of: "REMOTE_ADDR") }
}
