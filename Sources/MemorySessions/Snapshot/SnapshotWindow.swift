/// A part of a stream in memory: as much as is asked for, and no more than the stream has.
struct SnapshotWindow: ~Copyable {
    /// Fills the buffer from its beginning; returns the number of bytes, 0 at the end or on an error.
    typealias Source = (UnsafeMutableRawBufferPointer) -> Int

    private static let step = 256 << 10

    private let source: Source
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    // Within `memory`, the bytes at hand are from `start` to `end`; what comes after is not initialised.
    private var start = 0
    private var end = 0
    private var hasEnded = false
    /// Bytes that were skipped, from the stream's beginning.
    private(set) var position = 0

    init(_ source: @escaping Source) {
        self.source = source
    }

    deinit {
        memory.deallocate()
    }

    /// Bytes at hand.
    var count: Int { end - start }

    /// Calls `body` with the bytes at hand.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(rebasing: memory[start..<end]))
    }

    /// Reads on until `wanted` bytes are at hand; false when the stream ends before.
    ///
    /// The memory grows with what was read, not with what is wanted.
    mutating func fill(_ wanted: Int) -> Bool {
        while count < wanted, !hasEnded {
            makeRoom()
            let free = UnsafeMutableRawBufferPointer(rebasing: memory[end...])
            let got = min(source(free), free.count)
            hasEnded = got <= 0
            end += max(got, 0)
        }
        return count >= wanted
    }

    /// Moves the bytes at hand to the front, into twice the memory if it is full.
    private mutating func makeRoom() {
        guard memory.count - end < Self.step else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: memory[start..<end])
        if memory.count - bytes.count >= Self.step {
            memory.copyMemory(from: bytes)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: 2 * max(memory.count, Self.step), alignment: 16)
            larger.copyMemory(from: bytes)
            memory.deallocate()
            memory = larger
        }
        (start, end) = (0, bytes.count)
    }

    mutating func skip(_ bytes: Int) {
        let skipped = min(bytes, count)
        start += skipped
        position += skipped
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
