/// The text of a `Double` as PHP writes it with its default `serialize_precision` of -1: the fewest digits that give
/// the same number again, with an exponent where the point would stand before the fourth zero or after the 17th digit.
enum DoubleText {
    static func append(_ number: Double, to bytes: inout [UInt8]) {
        if number.isNaN { return bytes.append(contentsOf: "NAN".utf8) }
        if number.sign == .minus { bytes.append(UInt8(ascii: "-")) }
        if number.isInfinite { return bytes.append(contentsOf: "INF".utf8) }
        if number == 0 { return bytes.append(UInt8(ascii: "0")) }
        var (digits, point) = shortest(number.magnitude)
        if point < -3 || point > 17 {
            bytes.append(digits.removeFirst())
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: digits.isEmpty ? [UInt8(ascii: "0")] : digits)
            bytes.append(UInt8(ascii: "E"))
            bytes.append(UInt8(ascii: point > 0 ? "+" : "-"))
            bytes.append(contentsOf: "\((point - 1).magnitude)".utf8)
        } else if point <= 0 {
            bytes.append(contentsOf: "0.".utf8)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: -point))
            bytes.append(contentsOf: digits)
        } else if digits.count <= point {
            bytes.append(contentsOf: digits)
            bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: point - digits.count))
        } else {
            bytes.append(contentsOf: digits[..<point])
            bytes.append(UInt8(ascii: "."))
            bytes.append(contentsOf: digits[point...])
        }
    }

    /// The digits without zeros at either end, and how many of them (or zeros) stand before the point. The standard
    /// library's text has the right digits, in another form.
    private static func shortest(_ number: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        let text = Array(number.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: ".") {
                point = digits.count
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
            }
        }
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        let before = (point ?? digits.count) + exponent - leading
        digits.removeFirst(leading)
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (digits, before)
    }
}
