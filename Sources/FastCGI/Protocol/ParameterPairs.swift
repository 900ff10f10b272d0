internal import Glibc

/// Positions of the names and values inside a head's parameters, in the order they were sent.
///
/// Reused from request to request: `read` keeps the storage.
struct ParameterPairs {
    struct Pair {
        var name: Range<Int> { Int(nameStart)..<Int(valueStart) }
        var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

        // 32 bits hold every position: a head is far below 4 GiB.
        fileprivate let nameStart: UInt32
        fileprivate let valueStart: UInt32
        fileprivate let valueEnd: UInt32
    }

    private(set) var pairs: [Pair] = []

    var count: Int { pairs.count }

    mutating func removeAll() {
        pairs.removeAll(keepingCapacity: true)
    }

    /// Walks the name-value pairs (FastCGI 1.0, section 3.4) in `range` of `bytes`.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, atMost limit: Int
    ) throws(RequestCheck.Refusal) {
        removeAll()
        var offset = range.lowerBound
        while offset < range.upperBound {
            let nameLength = try Self.length(bytes, &offset, range.upperBound)
            let valueLength = try Self.length(bytes, &offset, range.upperBound)
            let remaining = range.upperBound - offset
            guard nameLength <= remaining, valueLength <= remaining - nameLength else { throw .pairLength }
            let name = offset..<offset + nameLength
            let value = name.upperBound..<name.upperBound + valueLength
            offset = value.upperBound
            guard pairs.count < limit else { throw .tooMany }
            // libfcgi hands pairs on as C strings "name=value": what would be cut or shifted there is refused here.
            let base = bytes.baseAddress!
            if nameLength > 0,
                memchr(base + name.lowerBound, 0, nameLength) != nil
                    || memchr(base + name.lowerBound, 0x3d, nameLength) != nil
            {
                throw .pairName
            }
            if valueLength > 0, memchr(base + value.lowerBound, 0, valueLength) != nil { throw .pairValue }
            pairs.append(
                Pair(
                    nameStart: UInt32(name.lowerBound),
                    valueStart: UInt32(value.lowerBound),
                    valueEnd: UInt32(value.upperBound)
                )
            )
        }
    }

    /// One length: a byte below 128, or four bytes with the high bit set.
    private static func length(
        _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ end: Int
    ) throws(RequestCheck.Refusal) -> Int {
        guard offset < end else { throw .pairLength }
        let first = bytes[offset]
        if first < 128 {
            offset += 1
            return Int(first)
        }
        guard end - offset >= 4 else { throw .pairLength }
        defer { offset += 4 }
        return Int(first & 0x7f) << 24 | Int(bytes[offset + 1]) << 16 | Int(bytes[offset + 2]) << 8
            | Int(bytes[offset + 3])
    }
}
