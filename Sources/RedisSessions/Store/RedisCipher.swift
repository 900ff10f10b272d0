internal import CCrypto
internal import Sessions

internal import struct GalletaPlatform.ByteString

/// Seals a session's values with a key that only its id gives: AES-256-GCM (NIST SP 800-38D), a random nonce for each value.
///
/// There is no secret to manage: who has the store has no ids, and who has an id is the visitor. Keys are HMAC-SHA256 of
/// labels under the id; a field's name is a code of the key's name, so that one key's change finds its field.
struct RedisCipher {
    static let application: UInt8 = 0x7E
    static let reserved: UInt8 = 0x5E

    private static let nonceCount = 12
    private static let tagCount = 16

    private let key: [UInt8]
    private let id: SessionID

    init(_ id: SessionID) {
        self.id = id
        key = id.authenticationCode(of: Array("galleta values 1".utf8))
    }

    func field(_ key: SessionKey) -> [UInt8] {
        let code = id.authenticationCode(of: Array("galleta field 1".utf8) + [key.isReserved ? 1 : 0] + key.name.bytes)
        return [key.isReserved ? Self.reserved : Self.application] + code.prefix(16)
    }

    /// The whole entry, with its field's name for associated data, so that no value can be put under another key.
    func seal(_ key: SessionKey, _ value: UnsafeRawBufferPointer) -> [UInt8] {
        let entry = key.encodedEntry(value)
        var sealed = [UInt8](repeating: 0, count: Self.nonceCount + entry.count + Self.tagCount)
        // 96 bits, at random: with 2^32 values under one key two would be alike once in 2^33 sites.
        withUnsafeBytes(of: UInt128.random(in: .min ... .max)) { random in
            sealed.replaceSubrange(0..<Self.nonceCount, with: random.prefix(Self.nonceCount))
        }
        let isDone = crypt(encrypts: true, field(key), entry, &sealed)
        precondition(isDone, "AES-256-GCM failed")
        return sealed
    }

    func open(_ field: [UInt8], _ sealed: [UInt8]) -> (SessionKey, [UInt8])? {
        guard RedisFields.isSealed(field), sealed.count >= Self.nonceCount + Self.tagCount else { return nil }
        var sealed = sealed
        var entry = [UInt8](repeating: 0, count: sealed.count - Self.nonceCount - Self.tagCount)
        guard crypt(encrypts: false, field, &entry, &sealed) else { return nil }
        return SessionKey.entry(encoded: entry)
    }

    private func crypt(encrypts: Bool, _ field: [UInt8], _ entry: [UInt8], _ sealed: inout [UInt8]) -> Bool {
        var entry = entry
        return crypt(encrypts: encrypts, field, &entry, &sealed)
    }

    private func crypt(encrypts: Bool, _ field: [UInt8], _ entry: inout [UInt8], _ sealed: inout [UInt8]) -> Bool {
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        let length = entry.count
        return sealed.withUnsafeMutableBufferPointer { sealed in
            entry.withUnsafeMutableBufferPointer { entry in
                let nonce = sealed.baseAddress!
                let text = nonce + Self.nonceCount
                let tag = text + length
                var written: Int32 = 0
                guard
                    EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce, encrypts ? 1 : 0) == 1,
                    EVP_CipherUpdate(context, nil, &written, field, Int32(field.count)) == 1
                else { return false }
                if length > 0 {
                    let (from, to) = encrypts ? (entry.baseAddress!, text) : (text, entry.baseAddress!)
                    guard EVP_CipherUpdate(context, to, &written, from, Int32(length)) == 1 else { return false }
                }
                if !encrypts,
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, Int32(Self.tagCount), tag) != 1
                {
                    return false
                }
                guard EVP_CipherFinal_ex(context, nil, &written) == 1 else { return false }
                return !encrypts
                    || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, Int32(Self.tagCount), tag) == 1
            }
        }
    }
}
