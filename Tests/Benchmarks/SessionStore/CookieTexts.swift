internal import Sessions

/// The cookies' values of a run's visitors, in one block that is there before anything is measured.
final class CookieTexts: @unchecked Sendable {
    // Safe: written by `init` alone.
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

    deinit {
        bytes.deallocate()
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeRawBufferPointer {
        let start = bytes.baseAddress! + index * SessionID.encodedCount
        return UnsafeRawBufferPointer(start: start, count: SessionID.encodedCount)
    }
}
