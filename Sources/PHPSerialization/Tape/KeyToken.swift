internal import GalletaPlatform

/// A key of an array or a member of an object in a document's text.
enum KeyToken {
    case int(Int)
    /// Where its bytes are.
    case bytes(Range<Int>)
    /// Where its bytes are, with some as `\` and two hex digits.
    case escaped(Range<Int>)
}

extension TokenReader {
    /// A key with all its marks. `isCanonical`: text that PHP takes for a whole number is one, as for keys of arrays.
    @inline(__always)
    mutating func key(isCanonical: Bool) throws(PHPSerializationError) -> KeyToken {
        switch byte {
        case UInt8(ascii: "s"):
            try takeType()
            let range = try quoted()
            try take(";", "\";\" after a key")
            if isCanonical, let number = number(range) { return .int(number) }
            return .bytes(range)
        case UInt8(ascii: "i"):
            try takeType()
            let number = try integer()
            try take(";", "\";\" after a key")
            return .int(number)
        case UInt8(ascii: "S"):
            try takeType()
            let range = try escaped()
            try take(";", "\";\" after a key")
            if isCanonical, let number = unescaped(range).withUnsafeBytes({ PHPKey.number(in: $0) }) {
                return .int(number)
            }
            return .escaped(range)
        default:
            throw .expected("a key (i: or s:)", at: position)
        }
    }

    @inline(__always)
    private func number(_ range: Range<Int>) -> Int? {
        guard let first = range.first, text[first] <= UInt8(ascii: "9") else { return nil }
        return PHPKey.number(in: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text[range])))
    }

    /// See ``Node/key``.
    @inline(__always)
    func digest(_ key: KeyToken) -> UInt32 {
        switch key {
        case .int(let number):
            if let small = UInt32(exactly: number), small < 1 << 31 { return small }
            return UInt32(truncatingIfNeeded: number ^ (number >> 32)) | 1 << 31
        case .bytes(let range): return digest(range)
        case .escaped(let range):
            return unescaped(range).withUnsafeBufferPointer {
                TokenReader(text: $0, position: 0).digest(0..<$0.count)
            }
        }
    }

    /// From the length and the outermost bytes: to tell most keys apart, not to withstand anybody.
    @inline(__always)
    func digest(_ range: Range<Int>) -> UInt32 {
        var digest = UInt32(truncatingIfNeeded: range.count) &* 0x9E37_79B1
        if range.count >= 4 {
            let bytes = UnsafeRawPointer(text.baseAddress!)
            digest ^= bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt32.self)
            digest ^= bytes.loadUnaligned(fromByteOffset: range.upperBound - 4, as: UInt32.self) &* 0x85EB_CA6B
        } else {
            for index in range { digest = digest &* 31 &+ UInt32(text[index]) }
        }
        return digest | 1 << 31
    }

    /// The key as a value of its own.
    func key(_ token: KeyToken) -> PHPKey {
        switch token {
        case .int(let number): .int(number)
        case .bytes(let range): .string(string(range))
        case .escaped(let range): .string(ByteString(bytes: unescaped(range)))
        }
    }

    func string(_ range: Range<Int>) -> ByteString {
        ByteString(bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: text[range])))
    }
}
