internal import Sessions

internal import struct GalletaPlatform.ByteString

/// How a session's values stand in its hash: a field's first character is its kind.
///
/// `=` and an application's key, `!` and a reserved key, with the value as `SessionValues` encode it. With encryption `~` and
/// `^` in their place, and an authentication code for the key: the value is the whole entry, sealed; only the user, the browser and
/// the stamp stay readable, for lists of a user's sessions.
struct RedisFields {
    private let cipher: RedisCipher?

    /// - Parameter cipher: Nil: values are kept as they are.
    init(cipher: RedisCipher?) {
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

    /// The key and the value of a field; nil: it makes no sense, or cannot be read without the id.
    func entry(_ field: [UInt8], _ value: [UInt8]) -> (SessionKey, [UInt8])? {
        switch field.first {
        case Self.application: (SessionKey(ByteString(bytes: field.dropFirst())), value)
        case Self.reserved: (SessionKey(ByteString(bytes: field.dropFirst()), isReserved: true), value)
        default: cipher?.open(field, value)
        }
    }

    /// True for a field that only the id opens.
    static func isSealed(_ field: [UInt8]) -> Bool {
        field.first == RedisCipher.application || field.first == RedisCipher.reserved
    }

    private static func staysReadable(_ key: SessionKey) -> Bool {
        key == .user || key == .client || key == SessionKey("stamp", isReserved: true)
    }
}
