internal import CCrypto
internal import GalletaPlatform

/// A user's entry in the source of passwords, and what can be signed with it.
///
/// What is signed holds as long as the entry stays as it is, over restarts and for all servers that have the same entry;
/// there is no other key to keep or to share. Nobody can sign who cannot read the entry.
struct Credential: Sendable {
    /// Longest name of a user in bytes.
    static let maxUserBytes = 255

    /// The user's name.
    let user: ByteString
    /// What the user's sessions keep (16 bytes): it is another one once the user has a new password.
    let stamp: [UInt8]
    private let entry: [UInt8]

    /// - Parameters:
    ///   - user: The user's name.
    ///   - entry: What changes with the password and nobody knows who cannot read the source: its hash.
    init(user: ByteString, entry: some Collection<UInt8>) {
        self.user = user
        self.entry = Array(entry)
        stamp = Self.sign("session", user.bytes, with: self.entry)
    }

    /// The first 16 bytes of HMAC-SHA256 (RFC 2104) over label, user and message, with the entry as key.
    ///
    /// - Parameter label: What the signature is for; one for one purpose is worth nothing for another.
    func sign(_ label: StaticString, _ message: [UInt8]) -> [UInt8] {
        Self.sign(label, message + user.bytes, with: entry)
    }

    private static func sign(_ label: StaticString, _ message: [UInt8], with key: [UInt8]) -> [UInt8] {
        // No label has a NUL, so it ends where the message begins.
        let text = label.withUTF8Buffer { Array($0) } + [0] + message
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &digest, &count) != nil, count >= 16 else {
            // Out of memory; no signature is better than one that others could have, too.
            fatalError("libcrypto has no HMAC-SHA256")
        }
        return Array(digest.prefix(16))
    }
}
