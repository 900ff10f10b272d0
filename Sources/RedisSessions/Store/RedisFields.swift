internal import Sessions

internal import struct GalletaPlatform.ByteString

/// How a session's values stand in its hash: a field's first character is its kind.
///
/// `=` and an application's key, `!` and a reserved key, with the value as `SessionValues` encode it. With encryption `~` and
/// `^` in their place, and an authentication code for the key: the value is the whole entry, sealed; only the user, the browser and
/// the stamp stay readable, for lists of a user's sessions.
struct RedisFields {
    private let cipher: RedisCipher?
    private let encrypts: Bool

    /// - Parameters:
    ///   - encrypts: False: values are kept as they are.
    ///   - cipher: That of the session's id; nil where it is not known, so that what it seals cannot be read.
    init(encrypts: Bool, cipher: RedisCipher?) {
        self.encrypts = encrypts
        self.cipher = cipher
    }

    private static let application: UInt8 = 0x3D
    private static let reserved: UInt8 = 0x21

    /// The field of a key.
    func field(_ key: SessionKey) -> [UInt8] {
        if let cipher, !Self.staysReadable(key) { return cipher.field(key) }
        return [key.isReserved ? Self.reserved : Self.application] + key.name.bytes
    }

    /// The value of a field.
    func value(_ key: SessionKey, _ value: UnsafeRawBufferPointer) -> [UInt8] {
        guard let cipher, !Self.staysReadable(key) else { return Array(value) }
        return cipher.seal(key, value)
    }

    /// The key and the value of a field; nil: it cannot be read without the id.
    ///
    /// - Throws: `SessionStoreError` when it is of a store with another `encryptsValues`: to take the session for another
    ///   one, or for none, would lose what the other servers keep in it.
    func entry(_ field: [UInt8], _ value: [UInt8]) throws(SessionStoreError) -> (SessionKey, [UInt8])? {
        switch field.first {
        case Self.application:
            guard !encrypts else { throw Self.mixed(isEncrypted: false) }
            return (SessionKey(ByteString(bytes: field.dropFirst())), value)
        case Self.reserved:
            let key = SessionKey(ByteString(bytes: field.dropFirst()), isReserved: true)
            guard !encrypts || Self.staysReadable(key) else { throw Self.mixed(isEncrypted: false) }
            return (key, value)
        default:
            guard encrypts else { throw Self.mixed(isEncrypted: true) }
            guard let cipher else { return nil }
            guard let entry = cipher.open(field, value) else {
                throw SessionStoreError(
                    .unavailable, "an encrypted value in Redis was changed by somebody who has not its session's id")
            }
            return entry
        }
    }

    private static func mixed(isEncrypted: Bool) -> SessionStoreError {
        SessionStoreError(
            .unavailable,
            "a session in Redis has values that are \(isEncrypted ? "" : "not ")encrypted, against encryptsValues of this server; "
                + "set it alike for all servers of the store, or give one of them another name")
    }

    /// True for a field that only the id opens.
    static func isSealed(_ field: [UInt8]) -> Bool {
        field.first == RedisCipher.application || field.first == RedisCipher.reserved
    }

    private static func staysReadable(_ key: SessionKey) -> Bool {
        key == .user || key == .client || key == SessionKey("stamp", isReserved: true)
    }
}
