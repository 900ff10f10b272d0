/// A part of a stream in memory: as much as is asked for, and no more than the stream has.
struct SnapshotWindow {
    /// Fills the buffer from its beginning; returns the number of bytes, 0 at the end or on an error.
    typealias Source = (UnsafeMutableRawBufferPointer) -> Int

    private static let step = 256 << 10

    private let source: Source
    private var buffer: [UInt8] = []
    private var start = 0
    private var hasEnded = false

    init(_ source: @escaping Source) {
        self.source = source
    }

    /// Bytes at hand.
    var count: Int { buffer.count - start }

    /// Calls `body` with the bytes at hand.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Reads on until `wanted` bytes are at hand; false when the stream ends before.
    ///
    /// The memory grows with what was read, not with what is wanted.
    mutating func fill(_ wanted: Int) -> Bool {
        while count < wanted, !hasEnded {
            if start > 0 {
                buffer.removeFirst(start)
                start = 0
            }
            let old = buffer.count
            let room = max(Self.step, min(old, wanted - old))
            buffer.append(contentsOf: repeatElement(0, count: room))
            let got = buffer.withUnsafeMutableBytes { source(UnsafeMutableRawBufferPointer(rebasing: $0[old...])) }
            hasEnded = got <= 0
            buffer.removeLast(room - min(max(got, 0), room))
        }
        return count >= wanted
    }

    mutating func skip(_ bytes: Int) {
        start += min(bytes, count)
    }

    /// Drops what comes before the next place where `mark` stands; false when there is none until the end.
    mutating func seek(_ mark: UInt64) -> Bool {
        while fill(8) {
            let found = withBytes { bytes -> Int? in
                (0...(bytes.count - 8)).first {
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self)) == mark
                }
            }
            if let found {
                skip(found)
                return true
            }
            // The mark may begin in the last seven.
            skip(count - 7)
        }
        skip(count)
        return false
    }
}
