internal import Glibc

/// Walks the entries of an encoded block: varint (key length << 1 | reserved), key, varint value length, value.
struct EntryReader {
    struct Entry {
        let isReserved: Bool
        let key: UnsafeRawBufferPointer
        let value: UnsafeRawBufferPointer
        /// The entry from its first to its last byte.
        let all: UnsafeRawBufferPointer
        /// The bytes that identify the key: header and key.
        let head: UnsafeRawBufferPointer
    }

    private let bytes: UnsafeRawBufferPointer
    private var reader: ValueReader

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        reader = ValueReader(bytes)
    }

    /// True when all bytes were understood.
    var isAtEnd: Bool { reader.isAtEnd }

    /// The next entry; nil at the end, and at an entry that makes no sense.
    mutating func next() -> Entry? {
        let start = reader.offset
        guard !reader.isAtEnd, let header = reader.varint(), header >> 1 <= UInt64(bytes.count),
            let key = reader.span(Int(header >> 1))
        else { return nil }
        let headEnd = reader.offset
        // Patches compare heads byte by byte, so there must be one form of each.
        guard headEnd - start == ValueWriter.varintCount(header) + key.count else { return nil }
        guard let count = reader.count(), let value = reader.span(count) else { return nil }
        return Entry(
            isReserved: header & 1 == 1,
            key: key,
            value: value,
            all: UnsafeRawBufferPointer(rebasing: bytes[start..<reader.offset]),
            head: UnsafeRawBufferPointer(rebasing: bytes[start..<headEnd])
        )
    }
}

extension UnsafeRawBufferPointer {
    /// True when both hold the same bytes.
    @inline(__always)
    func isSame(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count > 0 else { return true }
        return memcmp(baseAddress!, other.baseAddress!, count) == 0
    }
}
