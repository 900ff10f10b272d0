internal import CCrypto
internal import Sessions

internal import struct GalletaPlatform.ByteString

/// The keys of a store: one hash tag for all of them, so that they are in one slot of a cluster and a script may use several.
struct RedisKeys: Sendable {
    private let sessions: [UInt8]
    private let users: [UInt8]

    init(hashTag: String) {
        sessions = Array("{\(hashTag)}:s:".utf8)
        users = Array("{\(hashTag)}:u:".utf8)
    }

    /// A session's key: a digest, so that who reads the store has no id.
    func session(_ digest: [UInt8]) -> [UInt8] {
        sessions + Base64URL.string(digest).utf8
    }

    /// A user's index: a sorted set, of members that are a reference (16 bytes) and a session's digest (32), scored by the
    /// latest moment at which the session may end.
    func index(_ user: RedisUser) -> [UInt8] {
        users + Base64URL.string(user.digest).utf8
    }

    /// A key for a look at permissions; never there for longer than that.
    var probe: [UInt8] { users + "probe".utf8 }

    /// The pattern of all keys, as an ACL user wants it.
    var pattern: String { String(decoding: users.dropLast(2), as: UTF8.self) + "*" }

    /// The glob for all sessions' keys.
    var sessionPattern: String {
        var pattern = ""
        for character in String(decoding: sessions, as: UTF8.self) {
            if "\\*?[]".contains(character) { pattern.append("\\") }
            pattern.append(character)
        }
        return pattern + "*"
    }
}

/// A user, by the first half of the name's SHA-256: of any length and bytes, and no name in a key. To find a name with the
/// digest of another's takes 2^128 tries; the whole would cost each session 16 bytes more.
struct RedisUser: Hashable {
    private static let length = 16

    let digest: [UInt8]

    init(_ name: ByteString) {
        digest = name.withUnsafeBytes { input in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { output in
                ccrypto_sha256(input.baseAddress, input.count, output.baseAddress)
                return Array(output.prefix(Self.length))
            }
        }
    }

    /// The user of a digest from the store; nil for none.
    init?(digest: [UInt8]) {
        guard digest.count == Self.length else { return nil }
        self.digest = digest
    }
}

/// An entry of a user's index.
struct RedisMember: Hashable {
    /// Reference and digest.
    let bytes: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard bytes.count == 48 else { return nil }
        self.bytes = bytes
    }

    /// 16 random bytes that stay with the session as long as it belongs to the user, whatever its id.
    var reference: [UInt8] { Array(bytes[..<16]) }
    var digest: [UInt8] { Array(bytes[16...]) }
}
