internal import CCrypto

/// For providers whose stores outlive the process: what they keep in place of ids.
extension SessionID {
    /// SHA-256 (FIPS 180-4) of ``bytes``, 32 bytes: a name for the session in a store, from which nobody gets to the id.
    public var digest: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { output, written in
            withBytes { ccrypto_sha256($0.baseAddress, $0.count, output.baseAddress) }
            written = 32
        }
    }

    /// This id, readable only by who has `old`: for the place where a store remembers what id a rotation put in place of
    /// `old`.
    ///
    /// It is this id XOR HMAC-SHA256 with `old` for the key. Such a key is used once, as a rotated id has one successor; never
    /// seal two ids with one. 32 bytes; of a foreign id more.
    public func sealed(with old: SessionID) -> [UInt8] {
        var text = bytes
        // Longer than ours are, so that the length tells the two kinds apart.
        if isForeign { text += repeatElement(0, count: max(0, 33 - text.count)) }
        return Self.mask(text, with: old)
    }

    /// The id that `sealed(with:)` made these bytes of; nil when they make no sense with this key.
    public init?(sealed bytes: [UInt8], with old: SessionID) {
        guard bytes.count >= 32, bytes.count <= 256 else { return nil }
        let text = Self.mask(bytes, with: old)
        if text.count == 32 {
            self.init(bytes: text)
        } else {
            self.init(foreign: text.prefix { $0 != 0 })
        }
    }

    private static func mask(_ bytes: [UInt8], with key: SessionID) -> [UInt8] {
        var masked = bytes
        for start in stride(from: 0, to: bytes.count, by: 32) {
            // The label and the block's number.
            let message = Array("galleta successor".utf8) + [UInt8(start / 32)]
            let block = key.authenticationCode(of: message)
            for position in start..<min(start + 32, bytes.count) { masked[position] ^= block[position - start] }
        }
        return masked
    }

    /// HMAC-SHA256 (RFC 2104) with the id for the key, 32 bytes: to derive what only who has the id can derive.
    public func authenticationCode(of message: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { output, written in
            var count: UInt32 = 0
            withBytes { key in
                _ = HMAC(
                    EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count, output.baseAddress, &count)
            }
            precondition(count == 32, "HMAC-SHA256 failed")
            written = 32
        }
    }
}
