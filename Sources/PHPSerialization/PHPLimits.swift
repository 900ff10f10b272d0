/// What a document may cost at most; what is over it is refused before the memory is taken.
///
/// All are counted in what PHP wrote and in what is written: a document that would not be read again is not written.
public struct PHPLimits: Hashable, Sendable {
    /// Bytes of a document. Default: 4 MiB. More than 1 GiB counts as 1 GiB.
    public var bytes: Int
    /// Values in a document, those inside of others included. Default: 262,144. Each takes 24 bytes while it is open.
    public var values: Int
    /// Arrays and objects inside each other. Default: 4,096, as PHP's setting `unserialize_max_depth`.
    public var depth: Int

    /// - Parameters:
    ///   - bytes: Bytes of a document.
    ///   - values: Values in a document.
    ///   - depth: Arrays and objects inside each other.
    public init(bytes: Int = 4 << 20, values: Int = 262_144, depth: Int = 4_096) {
        self.bytes = bytes
        self.values = values
        self.depth = depth
    }

    /// Positions are held in 32 bits, and changes are appended to what was read.
    var usedBytes: Int { min(bytes, 1 << 30) }
    var usedValues: Int { min(values, 1 << 30) }

    /// Arrays and objects inside each other in a ``PHPValue``: the release of a nested enum is recursive, and a thread
    /// may have a small stack.
    static let valueDepth = 512
}
