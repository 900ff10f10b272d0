package import GalletaPlatform

/// A password that was not looked at or not hashed. A wrong one is no error.
///
/// An `Application` answers one that a handler throws with 503 or 429 and `Retry-After`, or with 400.
public struct PasswordError: Error, Sendable {
    /// What went wrong. New codes may come: keep a `default` branch.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case busy, throttled, unfit, unusableHash, failed
        }

        private let kind: Kind

        /// Too many wait to be hashed, or it has waited for too long; 503.
        public static let busy = Code(kind: .busy)
        /// Too many were wrong; see ``PasswordThrottle``; 429.
        public static let throttled = Code(kind: .throttled)
        /// A new password is too long for the algorithm, or has a NUL; 400.
        public static let unfit = Code(kind: .unfit)
        /// A text is no hash that is taken; see ``PasswordHash``.
        public static let unusableHash = Code(kind: .unusableHash)
        /// crypt(3) has failed, for want of memory most likely.
        public static let failed = Code(kind: .failed)

        /// The code's name.
        public var description: String { kind.rawValue }
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong and what to do about it, for a log. Never holds a name, a password or a hash.
    public let message: String
    /// When a client may try again, where time helps.
    public let retryAfter: Duration?

    private init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    static let busy = PasswordError(
        .busy, "as many passwords are hashed and wait for it as may at a time", retryAfter: .seconds(5))

    static func throttled(_ wait: Duration) -> PasswordError {
        PasswordError(.throttled, "too many passwords were wrong", retryAfter: wait)
    }

    static func unfit(maxBytes: Int) -> PasswordError {
        PasswordError(.unfit, "a password has at most \(maxBytes) bytes here, and no NUL")
    }

    static func unusableHash(_ reason: String) -> PasswordError {
        PasswordError(.unusableHash, reason)
    }

    static func failed(_ reason: String) -> PasswordError {
        PasswordError(.failed, reason)
    }
}

extension PasswordError: CustomStringConvertible {
    /// The code and the message.
    public var description: String { "\(code): \(message)" }
}

extension PasswordError: AnsweredError {
    package var answer: ErrorAnswer {
        switch code {
        case .busy: ErrorAnswer(status: 503, retryAfter: retryAfter, isReported: true)
        // RFC 6585, section 4.
        case .throttled: ErrorAnswer(status: 429, retryAfter: retryAfter, isReported: true)
        case .unfit: ErrorAnswer(status: 400, message: message)
        default: ErrorAnswer(status: 500)
        }
    }
}
