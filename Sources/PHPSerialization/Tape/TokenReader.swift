/// Reads the tokens of `serialize()`: https://www.php.net/manual/en/function.serialize.php and the grammar of PHP 8.2's
/// reader, without what it lets pass by accident (numbers that wrap or saturate).
///
/// Each read is bounded by `text`, which has to outlive the reader.
struct TokenReader {
    let text: UnsafeBufferPointer<UInt8>
    var position: Int

    /// The byte here; 0 at the end, which begins nothing.
    @inline(__always)
    var byte: UInt8 { position < text.count ? text[position] : 0 }

    @inline(__always)
    mutating func take(_ byte: Unicode.Scalar, _ what: StaticString) throws(PHPSerializationError) {
        guard position < text.count, text[position] == UInt8(ascii: byte) else { throw .expected(what, at: position) }
        position += 1
    }

    /// The colon after the letter of a type.
    @inline(__always)
    mutating func takeType() throws(PHPSerializationError) {
        position += 1
        try take(":", "\":\" after the type")
    }

    /// A length or a number of elements: digits only, and no more than there are bytes left.
    @inline(__always)
    mutating func count() throws(PHPSerializationError) -> Int {
        let start = position
        var number = 0
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            number = number &* 10 &+ Int(digit)
            guard number <= text.count else { throw .expected("a number that the bytes left can hold", at: start) }
            position += 1
        }
        guard position > start else { throw .expected("a number of digits", at: start) }
        return number
    }

    /// `5:"bytes"`, without what is before or after; gives where the bytes are.
    @inline(__always)
    mutating func quoted() throws(PHPSerializationError) -> Range<Int> {
        let start = position
        let count = try count()
        try take(":", "\":\" after the length")
        try take("\"", "'\"' before the bytes")
        guard count < text.count - position else { throw .expected("a length that the bytes left can hold", at: start) }
        let bytes = position..<position + count
        position += count
        try take("\"", "'\"' after as many bytes as the length says")
        return bytes
    }

    /// As ``quoted()``, where a byte may be `\` and two hex digits and the length is that of what they stand for.
    mutating func escaped() throws(PHPSerializationError) -> Range<Int> {
        let start = position
        var rest = try count()
        try take(":", "\":\" after the length")
        try take("\"", "'\"' before the bytes")
        let first = position
        while rest > 0 {
            guard position < text.count else { throw .expected("a length that the bytes left can hold", at: start) }
            if text[position] == UInt8(ascii: "\\") {
                guard position + 2 < text.count, Self.hex(text[position + 1]) != nil,
                    Self.hex(text[position + 2]) != nil
                else { throw .expected("two hex digits after \"\\\"", at: position) }
                position += 2
            }
            position += 1
            rest -= 1
        }
        let bytes = first..<position
        try take("\"", "'\"' after as many bytes as the length says")
        return bytes
    }

    static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// What the text of an ``escaped()`` stands for.
    func unescaped(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if text[index] == UInt8(ascii: "\\"), let high = Self.hex(text[index + 1]),
                let low = Self.hex(text[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
        return bytes
    }

    /// `[+-]?` and digits within 64 bits.
    @inline(__always)
    mutating func integer() throws(PHPSerializationError) -> Int {
        let start = position
        let isNegative = byte == UInt8(ascii: "-")
        if isNegative || byte == UInt8(ascii: "+") { position += 1 }
        let first = position
        var number: UInt64 = 0
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            let (tens, isOver) = number.multipliedReportingOverflow(by: 10)
            let (sum, isMore) = tens.addingReportingOverflow(UInt64(digit))
            guard !isOver, !isMore else { throw .expected("an integer of 64 bits", at: start) }
            number = sum
            position += 1
        }
        guard position > first else { throw .expected("an integer", at: start) }
        guard number <= UInt64(Int64.max) + (isNegative ? 1 : 0) else {
            throw .expected("an integer of 64 bits", at: start)
        }
        return Int(truncatingIfNeeded: isNegative ? 0 &- number : number)
    }

    /// `[+-]?` digits, a point and an exponent in any form that PHP reads, `INF`, `-INF` or `NAN`.
    mutating func double() throws(PHPSerializationError) {
        let start = position
        if byte == UInt8(ascii: "N") { return try word("NAN") }
        if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") { position += 1 }
        if byte == UInt8(ascii: "I"), position == start || text[start] == UInt8(ascii: "-") { return try word("INF") }
        var digits = skipDigits()
        if byte == UInt8(ascii: ".") {
            position += 1
            digits += skipDigits()
        }
        guard digits > 0 else { throw .expected("a number", at: start) }
        guard byte | 0x20 == UInt8(ascii: "e") else { return }
        position += 1
        if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") { position += 1 }
        guard skipDigits() > 0 else { throw .expected("digits of an exponent", at: position) }
    }

    private mutating func word(_ word: StaticString) throws(PHPSerializationError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte == word.utf8Start[index] else { throw .expected(word, at: position) }
            position += 1
        }
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < text.count, text[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position - start
    }

    /// The name of a class as PHP takes one.
    func isClassName(_ range: Range<Int>) -> Bool {
        guard let first = range.first, text[first] != UInt8(ascii: "\\") else { return false }
        for index in range where !Self.isNameByte(text[index]) { return false }
        return true
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5C, 0x5F, 0x7F...0xFF: true
        default: false
        }
    }
}
