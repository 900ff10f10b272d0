internal import CCrypto
internal import Sessions

/// SHA-256 (FIPS 180-4) of ids: what a file keeps in their place.
enum IDDigest {
    /// The digest of the 32 bytes, in the form of an id. Cost: under a microsecond.
    static func of(_ id: MemoryKey) -> MemoryKey {
        let digest = MemoryKey { output in
            id.withBytes { input in
                SHA256(
                    input.bindMemory(to: UInt8.self).baseAddress, input.count,
                    output.bindMemory(to: UInt8.self).baseAddress) != nil
            }
        }
        // Nothing makes it fail.
        return digest!
    }
}
