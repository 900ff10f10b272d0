public import struct GalletaPlatform.ByteString

/// The key of a value in a session's record.
///
/// Application keys are the ones that handlers use; reserved keys hold what the engine keeps beside them (the user, the
/// CSRF secret). The two are apart: no application key, whatever its bytes, reaches a reserved value. A provider stores
/// both alike and must only know `user`, for its index of users.
public struct SessionKey: Hashable, Sendable {
    /// The name, any bytes: other languages name things in encodings of their own.
    public let name: ByteString
    /// True for the engine's own keys.
    public let isReserved: Bool

    /// The key that an application calls `name`.
    public init(_ name: ByteString) {
        self.init(name, isReserved: false)
    }

    /// The key that an application calls `name`.
    public init(_ name: String) {
        self.init(ByteString(name))
    }

    /// A key by its parts: for providers that read their store.
    public init(_ name: ByteString, isReserved: Bool) {
        self.name = name
        self.isReserved = isReserved
    }

    /// The user whom the session belongs to (``SessionValue/name(_:)``); absent for anonymous sessions.
    public static let user = SessionKey("user", isReserved: true)

    /// What the log-in was told of the visitor's browser (`.string`), for lists of a user's sessions.
    public static let client = SessionKey("client", isReserved: true)

    /// What the log-in was told of the user's credential (`.bytes`); see `SessionConfiguration.stampCheck`.
    package static let stamp = SessionKey("stamp", isReserved: true)

    /// The secret behind the session's CSRF tokens (`.bytes`, 32 of them).
    static let csrfSecret = SessionKey("csrf", isReserved: true)
}
