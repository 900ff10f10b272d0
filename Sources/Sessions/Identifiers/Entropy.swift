internal import Glibc

/// Bytes of the kernel's cryptographic generator.
enum Entropy {
    /// Fills `target` with at most 256 random bytes.
    ///
    /// The process ends if the kernel gives none: a guessable session id would be worse.
    static func fill(_ target: UnsafeMutableRawBufferPointer) {
        let failure = getentropy(target.baseAddress!, target.count)
        precondition(failure == 0, "getentropy failed: errno \(errno)")
    }

    /// `count` random bytes, at most 256.
    static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { target, written in
            fill(UnsafeMutableRawBufferPointer(target))
            written = count
        }
    }
}
