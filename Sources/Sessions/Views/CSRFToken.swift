/// Tokens against forged requests: a secret in the session, masked anew for each page.
///
/// A token is 32 random bytes and the secret XOR these, in base64url (86 characters). The text differs on every page,
/// so compression of the response tells nothing about it (the BREACH attack).
enum CSRFToken {
    static let secretCount = 32

    static func make(secret: [UInt8]) -> String {
        var token = Entropy.bytes(secretCount)
        for position in 0..<secretCount {
            token.append(token[position] ^ secret[position])
        }
        return Base64URL.string(token)
    }

    /// True when `token` unmasks to `secret`; takes the same time wherever they differ.
    static func verify(_ token: String, secret: [UInt8]) -> Bool {
        guard let bytes = Base64URL.bytes(token), bytes.count == 2 * secretCount, secret.count == secretCount else {
            return false
        }
        var difference: UInt8 = 0
        for position in 0..<secretCount {
            difference |= bytes[position] ^ bytes[secretCount + position] ^ secret[position]
        }
        return difference == 0
    }
}
