/// A mistake in the use of sessions: a wrong configuration, a limit, a session begun too late.
///
/// A store that fails is a `SessionStoreError` instead. A missing, expired or malformed id is no error at all.
public struct SessionError: Error, Sendable {
    /// What went wrong. New codes may come: keep a `default` branch.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidConfiguration, unknownProvider, overLimit, notEncodable, invalidEncoding
            case responseStarted, contention, tooManySessions, undecodable, unsupported
        }

        private let kind: Kind

        /// A field of a configuration has a value that cannot be.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// No provider is registered under that name.
        public static let unknownProvider = Code(kind: .unknownProvider)
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
    /// The configuration's field or the provider's parameter, where the code is `invalidConfiguration`.
    public let field: String?
    /// What went wrong and what to do about it, for a log. Never holds an id or a value.
    public let message: String
    /// When a client may try again, where time helps.
    public let retryAfter: Duration?

    /// An error, for a provider to throw.
    ///
    /// - Parameters:
    ///   - code: What went wrong.
    ///   - message: What went wrong and what to do about it, for a log. No id and no value.
    ///   - field: The configuration's field or the provider's parameter, where the code is `invalidConfiguration`.
    ///   - retryAfter: When a client may try again, where time helps.
    public init(_ code: Code, _ message: String, field: String? = nil, retryAfter: Duration? = nil) {
        self.code = code
        self.field = field
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The error of a field or a parameter that has a value that cannot be.
    ///
    /// - Parameters:
    ///   - field: The name of the field or the parameter.
    ///   - reason: What is wrong, and what to give in its place.
    public static func invalid(_ field: String, _ reason: String) -> SessionError {
        SessionError(.invalidConfiguration, "invalid \(field): \(reason)", field: field)
    }

    /// The message without the field.
    package var reason: String {
        guard let field, message.hasPrefix("invalid \(field): ") else { return message }
        return String(message.dropFirst("invalid \(field): ".count))
    }
}

extension SessionError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}
