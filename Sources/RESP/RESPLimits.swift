/// What one value may cost; a peer that sends more is refused before the memory is taken.
package struct RESPLimits: Hashable, Sendable {
    /// Bytes of one bulk string. Default: 16 MiB.
    package var bulkBytes = 16 << 20
    /// Bytes of a status, an error or an integer. Default: 65,536.
    package var lineBytes = 65_536
    /// Elements of all arrays of one value together. Default: 262,144.
    package var elements = 262_144
    /// Arrays inside each other. Default: 8.
    package var depth = 8
    /// Bytes of one value with all that is in it, as sent. Default: 16 MiB.
    package var valueBytes = 16 << 20

    package init() {}

    /// Limits for values of at most so many bytes, headers included.
    package init(valueBytes: Int) {
        self.valueBytes = valueBytes
        bulkBytes = valueBytes
        lineBytes = min(lineBytes, valueBytes)
    }
}
