/// The session store could not do its work: unreachable, too slow, full, or its data make no sense.
///
/// The right answer to the visitor is mostly 503 with `Retry-After`; the cookie stays as it is, and the visitor must not be
/// taken for an anonymous one. Galleta does that for every route whose handler lets this error through.
public struct SessionStoreError: Error, Sendable {
    /// Why. New reasons may come: keep a `default` branch.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case unavailable, full, unsaved, busy, unreadable
        }

        private let kind: Kind

        /// The store did not answer, or not in time, or not sensibly.
        public static let unavailable = Reason(kind: .unavailable)
        /// The store is at its cap and nothing may be evicted for a new session.
        public static let full = Reason(kind: .full)
        /// A change was made, a log-out say, and could not be put on the disk: a crash may undo it. Answered with 500.
        public static let unsaved = Reason(kind: .unsaved)
        /// Somebody else has the session, for longer than the call could wait.
        public static let busy = Reason(kind: .busy)
        /// The session is there, and what it holds makes no sense here. It is not as if there were none: who shares it may know
        /// its visitor by it.
        public static let unreadable = Reason(kind: .unreadable)

        /// The reason's name.
        public var description: String { kind.rawValue }
    }

    /// Why.
    public let reason: Reason
    /// What happened, for a log. Never holds an id or a value.
    public let message: String
    /// The provider's own error.
    public let underlying: (any Error)?
    /// When a client should come back.
    public let retryAfter: Duration

    /// An error for a provider to throw.
    public init(
        _ reason: Reason, _ message: String, underlying: (any Error)? = nil, retryAfter: Duration = .seconds(5)
    ) {
        self.reason = reason
        self.message = message
        self.underlying = underlying
        self.retryAfter = retryAfter
    }
}

extension SessionStoreError: CustomStringConvertible {
    /// The reason, the message and the provider's own error.
    public var description: String {
        guard let underlying else { return "session store \(reason): \(message)" }
        return "session store \(reason): \(message) (\(underlying))"
    }
}
