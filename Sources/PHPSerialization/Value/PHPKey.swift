public import GalletaPlatform

/// A key of an array, or the name of an object's member.
public enum PHPKey: Hashable, Sendable {
    /// A whole number.
    case int(Int)
    /// Any bytes. In an array never a whole number's decimal text: PHP makes it the number.
    case string(ByteString)

    /// The key that PHP makes of this text in an array: `"9"` is 9, `"08"`, `"-0"` and `"+1"` stay text.
    public init(_ text: ByteString) {
        if let number = text.withUnsafeBytes({ Self.number(in: $0) }) {
            self = .int(number)
        } else {
            self = .string(text)
        }
    }

    /// The number whose canonical decimal text this is.
    static func number(in text: UnsafeRawBufferPointer) -> Int? {
        guard let first = text.first, text.count <= 20 else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        let digits = text.dropFirst(isNegative ? 1 : 0)
        guard let leading = digits.first, leading != UInt8(ascii: "0") || text.count == 1 else { return nil }
        var number = 0
        for byte in digits {
            let digit = Int(byte) - 0x30
            guard 0...9 ~= digit else { return nil }
            let (tens, isOver) = number.multipliedReportingOverflow(by: 10)
            let (sum, isMore) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard !isOver, !isMore else { return nil }
            number = sum
        }
        return number
    }

    /// The text, of a number its decimal digits.
    public var text: ByteString {
        switch self {
        case .int(let number): ByteString("\(number)")
        case .string(let text): text
        }
    }
}

extension PHPKey: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    /// The key that PHP makes of this text.
    public init(stringLiteral text: String) { self.init(ByteString(text)) }

    /// This number.
    public init(integerLiteral number: Int) { self = .int(number) }
}
