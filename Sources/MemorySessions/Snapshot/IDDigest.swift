internal import CCrypto
internal import Sessions

/// SHA-256 (FIPS 180-4) of ids: what a file keeps in their place.
enum IDDigest {
    /// The digest of the 32 bytes, in the form of an id. Cost: under a microsecond.
    static func of(_ id: MemoryKey) -> MemoryKey {
        let digest = MemoryKey { output in
            id.withBytes { input in
                ccrypto_sha256(input.baseAddress, input.count, output.bindMemory(to: UInt8.self).baseAddress)
                return true
            }
        }
        // Nothing makes it fail.
        return digest!
    }
}
