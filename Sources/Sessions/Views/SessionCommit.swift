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

    static let untouched = SessionCommit(setCookie: nil, cachePolicy: .none, isLost: false)
}
