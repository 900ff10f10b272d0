/// What a response must carry after a request's use of its session.
public struct SessionCommit: Sendable {
    /// What caches may do with the response.
    public enum CachePolicy: Sendable {
        /// The session was not touched: nothing is added.
        case none
        /// The session was read: `Cache-Control: private, no-cache` and `Vary: Cookie`.
        case read
        /// The session changed, or a cookie goes out: `Cache-Control: private, no-store` and `Vary: Cookie`.
        case written
    }

    /// The value of the `Set-Cookie` header to send, if any.
    public var setCookie: String?
    /// What caches may do with the response.
    public var cachePolicy: CachePolicy
    /// True when the session vanished during the request (a log-out elsewhere, its end): the changes were dropped and
    /// no cookie goes out, as it could overwrite one of a newer log-in.
    public var isLost: Bool
    /// True when the provider's journal is to be waited for before the response leaves.
    package var isUnsettled = false

    static let untouched = SessionCommit(setCookie: nil, cachePolicy: .none, isLost: false)
}

extension SessionCommit: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Whether there is a cookie, never its text: an id in a log is a way into the session.
    public var description: String {
        "SessionCommit(setCookie: \(setCookie == nil ? "nil" : "redacted"), \(cachePolicy), isLost: \(isLost))"
    }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// No children: `dump` shows nothing either.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
