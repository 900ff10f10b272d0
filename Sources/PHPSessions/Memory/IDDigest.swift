internal import CCrypto

/// SHA-256 (FIPS 180-4) of a session's id: what the store keeps in its place, so that no id can be read out of it.
struct IDDigest: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ id: PHPSessionID) {
        var text = id.text
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        text.withUTF8 { input in
            withUnsafeMutableBytes(of: &words) { output in
                ccrypto_sha256(input.baseAddress, input.count, output.bindMemory(to: UInt8.self).baseAddress)
            }
        }
        self.words = words
    }

    /// - Parameter bytes: 32 of them, as ``bytes`` gives.
    init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        self.words = words
    }

    var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    static func == (left: IDDigest, right: IDDigest) -> Bool { left.words == right.words }

    func hash(into hasher: inout Hasher) {
        // As good as random already.
        hasher.combine(words.0)
    }
}
