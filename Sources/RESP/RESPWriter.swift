/// Writes commands and values of RESP2, one after the other.
///
///     var writer = RESPWriter()
///     writer.beginArray(2)
///     writer.bulk("GET")
///     writer.bulk(key)
///     send(writer.bytes)
package struct RESPWriter: Sendable {
    /// All that was written. To be emptied by whoever has sent it.
    package var bytes: [UInt8] = []

    package init() {}

    /// A command: bulk strings in an array.
    package mutating func command(_ arguments: [[UInt8]]) {
        beginArray(arguments.count)
        for argument in arguments { bulk(argument) }
    }

    /// The header of an array; so many values must follow.
    package mutating func beginArray(_ count: Int) {
        header(UInt8(ascii: "*"), Int64(count))
    }

    /// A bulk string of these bytes.
    package mutating func bulk(_ content: [UInt8]) {
        content.withUnsafeBytes { bulk($0) }
    }

    /// Up to so many bytes a bulk string is put together first, and appended at once.
    private static let short = 99

    /// A bulk string of these bytes.
    package mutating func bulk(_ content: UnsafeRawBufferPointer) {
        guard content.count > Self.short else {
            let digits = content.count < 10 ? 1 : 2
            return withUnsafeTemporaryAllocation(byteCount: content.count + digits + 5, alignment: 1) { out in
                out[0] = UInt8(ascii: "$")
                if digits == 2 { out[1] = UInt8(ascii: "0") + UInt8(content.count / 10) }
                out[digits] = UInt8(ascii: "0") + UInt8(content.count % 10)
                (out[digits + 1], out[digits + 2]) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
                let end = digits + 3 + content.count
                UnsafeMutableRawBufferPointer(rebasing: out[(digits + 3)..<end]).copyMemory(from: content)
                (out[end], out[end + 1]) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
                bytes.append(contentsOf: UnsafeRawBufferPointer(out))
            }
        }
        header(UInt8(ascii: "$"), Int64(content.count))
        bytes.append(contentsOf: content)
        endLine()
    }

    /// A bulk string of the text's UTF-8.
    package mutating func bulk(_ text: String) {
        var text = text
        text.withUTF8 { bulk(UnsafeRawBufferPointer($0)) }
    }

    /// A bulk string of the number's digits: numbers in commands are text.
    package mutating func bulk(_ number: Int64) {
        Self.withDigits(of: number) { bulk($0) }
    }

    /// Any value. A line end in a status or an error becomes a blank: it would begin another value.
    package mutating func value(_ value: RESPValue) {
        switch value {
        case .simple(let text): line(UInt8(ascii: "+"), text)
        case .error(let reply): line(UInt8(ascii: "-"), reply.text)
        case .integer(let number): header(UInt8(ascii: ":"), number)
        case .bulk(let content): bulk(content)
        case .null: header(UInt8(ascii: "$"), -1)
        case .array(let elements):
            beginArray(elements.count)
            for element in elements { self.value(element) }
        }
    }

    private mutating func line(_ type: UInt8, _ text: String) {
        bytes.append(type)
        let start = bytes.count
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
        for index in start..<bytes.count where bytes[index] == UInt8(ascii: "\r") || bytes[index] == UInt8(ascii: "\n")
        {
            bytes[index] = UInt8(ascii: " ")
        }
        endLine()
    }

    private mutating func header(_ type: UInt8, _ number: Int64) {
        bytes.append(type)
        Self.withDigits(of: number) { bytes.append(contentsOf: $0) }
        endLine()
    }

    private mutating func endLine() {
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Static: a copy of the writer under way would make each append a copy of all bytes.
    private static func withDigits(of number: Int64, _ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var index = digits.count
            var rest = number.magnitude
            repeat {
                index -= 1
                digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                index -= 1
                digits[index] = UInt8(ascii: "-")
            }
            body(UnsafeRawBufferPointer(rebasing: digits[index...]))
        }
    }
}
