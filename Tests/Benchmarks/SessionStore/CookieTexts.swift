internal import Sessions

/// The cookies' values of a run's visitors, in one block that is there before anything is measured.
final class CookieTexts: @unchecked Sendable {
    // Safe: written by the initialisers alone.
    private let bytes: UnsafeMutableRawBufferPointer
    let count: Int

    init(count: Int) {
        self.count = count
        bytes = .allocate(byteCount: max(count, 1) * SessionID.encodedCount, alignment: 1)
        for index in 0..<count {
            var text = SessionID.random().encoded
            text.withUTF8 { text in
                bytes[(index * SessionID.encodedCount)..<((index + 1) * SessionID.encodedCount)].copyBytes(from: text)
            }
        }
    }

    /// The same texts in random order: read one after the other they cost no cache miss of their own, and lead all over
    /// the store.
    init(shuffling other: CookieTexts) {
        count = other.count
        bytes = .allocate(byteCount: max(count, 1) * SessionID.encodedCount, alignment: 1)
        bytes.copyMemory(from: UnsafeRawBufferPointer(other.bytes))
        var random = RandomIndex(seed: 11)
        for index in stride(from: count - 1, to: 0, by: -1) {
            let target = random.next(below: index + 1)
            for byte in 0..<SessionID.encodedCount {
                bytes.swapAt(index * SessionID.encodedCount + byte, target * SessionID.encodedCount + byte)
            }
        }
    }

    deinit {
        bytes.deallocate()
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeRawBufferPointer {
        let start = bytes.baseAddress! + index * SessionID.encodedCount
        return UnsafeRawBufferPointer(start: start, count: SessionID.encodedCount)
    }
}
