internal import CCrypto
public import GalletaPlatform

/// A user's entry in a source of passwords: who has given the right one.
///
/// Its stamp goes into the session (`Session.logIn(user:client:stamp:)`), and ends it once the user has a new password or
/// is no more:
///
/// ```swift
/// configuration.stampCheck = users.isCurrent
/// ```
public struct Credential: Sendable {
    /// Longest name of a user in bytes.
    package static let maxUserBytes = 255

    /// The user's name.
    public let user: ByteString
    /// What the user's sessions keep (16 bytes): it is another one once the user has a new password. It stays the same over
    /// restarts, and for all servers that have the same entry; nobody can make it who cannot read the entry.
    public let stamp: [UInt8]
    private let entry: [UInt8]

    /// - Parameters:
    ///   - user: The user's name.
    ///   - hash: Of the user's password.
    public init(user: ByteString, hash: PasswordHash) {
        self.init(user: user, entry: hash.text.utf8)
    }

    /// - Parameters:
    ///   - user: The user's name.
    ///   - entry: What changes with the password and nobody knows who cannot read the source: its hash.
    package init(user: ByteString, entry: some Collection<UInt8>) {
        self.user = user
        self.entry = Array(entry)
        stamp = Signer("session", user, key: self.entry).sign([])
    }

    /// The first 16 bytes of HMAC-SHA256 (RFC 2104) over label, user and message, with the entry as key.
    ///
    /// It holds as long as the entry stays as it is; there is no other key to keep or to share.
    ///
    /// - Parameter label: What the signature is for; one for one purpose is worth nothing for another.
    package func sign(_ label: StaticString, _ message: [UInt8]) -> [UInt8] {
        signer(label).sign(message)
    }

    /// Makes the signatures of many messages, as ``sign(_:_:)`` does.
    package func signer(_ label: StaticString) -> Signer {
        Signer(label, user, key: entry)
    }

    /// Signs messages with one key: those after the first cost a fifth of it.
    ///
    /// For one thread.
    package final class Signer {
        private let context: OpaquePointer
        private let label: [UInt8]
        private let user: [UInt8]

        fileprivate init(_ label: StaticString, _ user: ByteString, key: [UInt8]) {
            // No label has a NUL, so it ends where the message begins.
            self.label = label.withUTF8Buffer { Array($0) } + [0]
            self.user = user.bytes
            // A key is filled up with zeros: this is the empty one.
            let key = key.isEmpty ? [0] : key
            let made = Self.mac.flatMap(EVP_MAC_CTX_new)
            var digest = Array("SHA256".utf8CString)
            // A parameter holds the pointers to its name and value: both have to live until it has been read.
            let isReady = "digest".withCString { parameter in
                digest.withUnsafeMutableBufferPointer { name in
                    let parameters = [
                        OSSL_PARAM_construct_utf8_string(parameter, name.baseAddress, 0), OSSL_PARAM_construct_end(),
                    ]
                    return EVP_MAC_init(made, key, key.count, parameters) == 1
                }
            }
            guard let made, isReady else { Self.fail() }
            context = made
        }

        deinit {
            EVP_MAC_CTX_free(context)
        }

        package func sign(_ message: [UInt8]) -> [UInt8] {
            let text = label + message + user
            var digest = [UInt8](repeating: 0, count: 32)
            var count = 0
            // Without a key: the one of before.
            guard EVP_MAC_init(context, nil, 0, nil) == 1, EVP_MAC_update(context, text, text.count) == 1,
                EVP_MAC_final(context, &digest, &count, digest.count) == 1, count == digest.count
            else { Self.fail() }
            return Array(digest.prefix(16))
        }

        // Safe: never freed, and nobody changes it.
        nonisolated(unsafe) private static let mac = EVP_MAC_fetch(nil, "HMAC", nil)

        /// Out of memory; no signature is better than one that others could have, too.
        private static func fail() -> Never {
            fatalError("libcrypto has no HMAC-SHA256")
        }
    }
}
