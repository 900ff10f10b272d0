/// A mistake in the use of sessions: a limit, a session begun too late.
///
/// A store that fails is a `SessionStoreError` instead, and a wrong configuration a `ConfigurationError`. A missing, expired or malformed id is no error at all.
public struct SessionError: Error, Sendable {
    /// What went wrong. New codes may come: keep a `default` branch.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case overLimit, notEncodable, invalidEncoding
            case responseStarted, contention, tooManySessions, undecodable, unsupported
        }

        private let kind: Kind

        /// The session would hold more bytes or keys than allowed; nothing was changed.
        public static let overLimit = Code(kind: .overLimit)
        /// A value has no `SessionValue` form (nested too deep, an integer beyond `Int64`); nothing was changed.
        public static let notEncodable = Code(kind: .notEncodable)
        /// Bytes that should be encoded values or JSON are not. Thrown by a handler it is answered with 400.
        public static let invalidEncoding = Code(kind: .invalidEncoding)
        /// The header is on its way, so no cookie can be sent: start or rotate the session before the response.
        public static let responseStarted = Code(kind: .responseStarted)
        /// An atomic update lost against others again and again.
        public static let contention = Code(kind: .contention)
        /// The client's network has begun as many sessions as it may; see `SessionConfiguration.newSessionLimit`.
        public static let tooManySessions = Code(kind: .tooManySessions)

        /// The value of a key has not the form that an update wants; it is kept.
        public static let undecodable = Code(kind: .undecodable)
        /// The provider cannot do this; see `SessionProviderTraits` and `UserIndexedProvider`.
        public static let unsupported = Code(kind: .unsupported)

        /// The code's name.
        public var description: String { kind.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong and what to do about it, for a log. Never holds an id or a value.
    public let message: String
    /// When a client may try again, where time helps.
    public let retryAfter: Duration?

    /// An error, for a provider to throw.
    ///
    /// - Parameters:
    ///   - code: What went wrong.
    ///   - message: What went wrong and what to do about it, for a log. No id and no value.
    ///   - retryAfter: When a client may try again, where time helps.
    public init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }
}

extension SessionError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}
