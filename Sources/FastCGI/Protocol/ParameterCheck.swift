internal import Glibc

/// Checks the name-value pairs of a head (FastCGI 1.0, section 3.4) before libfcgi parses them.
///
/// libfcgi believes the lengths it finds, and hands pairs on as C strings "NAME=VALUE": what would overrun, or be cut or
/// shifted there, is refused here. So it and this check agree on every pair.
enum ParameterCheck {
    /// Walks all pairs; returns how many there are.
    @discardableResult
    static func check(_ bytes: UnsafeRawBufferPointer, atMost limit: Int) throws(RequestCheck.Refusal) -> Int {
        var count = 0
        var offset = 0
        while offset < bytes.count {
            let nameLength = try length(bytes, &offset)
            let valueLength = try length(bytes, &offset)
            let remaining = bytes.count - offset
            guard nameLength <= remaining, valueLength <= remaining - nameLength else { throw .pairLength }
            guard count < limit else { throw .tooMany }
            count += 1
            let name = bytes.baseAddress! + offset
            offset += nameLength + valueLength
            // Name and value lie side by side: one look for NUL is enough where there is none.
            if memchr(name, 0, nameLength + valueLength) != nil {
                throw memchr(name, 0, nameLength) != nil ? .pairName : .pairValue
            }
            if memchr(name, 0x3d, nameLength) != nil { throw .pairName }
        }
        return count
    }

    /// One length, where all of it is there.
    static func lengthIfThere(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Int? {
        try? length(bytes, &offset)
    }

    /// One length: a byte below 128, or four bytes with the high bit set.
    @inline(__always)
    private static func length(
        _ bytes: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(RequestCheck.Refusal) -> Int {
        guard offset < bytes.count else { throw .pairLength }
        let first = bytes[offset]
        if first < 128 {
            offset += 1
            return Int(first)
        }
        return try longLength(bytes, &offset, first)
    }

    private static func longLength(
        _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ first: UInt8
    ) throws(RequestCheck.Refusal) -> Int {
        guard bytes.count - offset >= 4 else { throw .pairLength }
        defer { offset += 4 }
        return Int(first & 0x7f) << 24 | Int(bytes[offset + 1]) << 16 | Int(bytes[offset + 2]) << 8
            | Int(bytes[offset + 3])
    }
}
