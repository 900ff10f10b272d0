/// Reads values of RESP2 out of bytes that come in pieces of any size.
///
///     var parser = RESPParser()
///     parser.append(received)
///     while let value = try parser.next() { … }
///
/// Strict: CRLF only, numbers in their shortest form, no inline commands. The first error is final, each further call
/// throws it again.
///
/// Cost: linear in the bytes, whatever the pieces are; no byte of a bulk string is looked at before all have come.
package struct RESPParser: Sendable {
    /// An array whose elements are still coming.
    private struct OpenArray {
        var missing: Int
        var elements: [RESPValue]
    }

    private let limits: RESPLimits
    private var buffer: [UInt8] = []
    /// What is before this has been taken.
    private var position = 0
    /// What is before this has been searched for the end of the line.
    private var searched = 0
    /// The length of the bulk string whose header has been taken.
    private var awaitedBulk: Int?
    private var openArrays: [OpenArray] = []
    /// Bytes and elements of the value under way.
    private var valueBytes = 0
    private var elements = 0
    private var failure: RESPError?

    /// What more than this lies before the bytes to come is cut off.
    private static let slack = 65_536
    /// "$-9223372036854775808"
    private static let longestHeader = 21

    package init(limits: RESPLimits = RESPLimits()) {
        self.limits = limits
    }

    /// Whether nothing is left: neither a part of a value nor another one.
    package var isEmpty: Bool {
        position == buffer.count && awaitedBulk == nil && openArrays.isEmpty
    }

    /// Takes what came next.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if position == buffer.count {
            // A large reply's memory is not kept for small ones.
            buffer.removeAll(keepingCapacity: buffer.capacity <= 4 * Self.slack)
            position = 0
            searched = 0
        } else if position > Self.slack, position > buffer.count / 2 {
            buffer.removeFirst(position)
            searched -= position
            position = 0
        }
        if let length = awaitedBulk, buffer.capacity - position < length {
            buffer.reserveCapacity(position + length + 2)
        }
        buffer.append(contentsOf: bytes)
    }

    /// Takes what came next.
    package mutating func append(_ bytes: some Sequence<UInt8>) {
        let isTaken: Void? = bytes.withContiguousStorageIfAvailable { append(UnsafeRawBufferPointer($0)) }
        if isTaken == nil { Array(bytes).withUnsafeBytes { append($0) } }
    }

    /// The next value; nil until all of it has come.
    package mutating func next() throws(RESPError) -> RESPValue? {
        try guarded { parser throws(RESPError) in try parser.step(isCommand: false) }
    }

    /// The next command, as a client sends it: at least one bulk string; nil until all of it has come.
    package mutating func nextCommand() throws(RESPError) -> [[UInt8]]? {
        let value = try guarded { parser throws(RESPError) in try parser.step(isCommand: true) }
        return value?.array?.compactMap(\.bytes)
    }

    private mutating func guarded(
        _ body: (inout RESPParser) throws(RESPError) -> RESPValue?
    ) throws(RESPError) -> RESPValue? {
        if let failure { throw failure }
        do {
            return try body(&self)
        } catch {
            failure = error
            buffer = []
            openArrays = []
            (position, searched) = (0, 0)
            throw error
        }
    }

    private mutating func step(isCommand: Bool) throws(RESPError) -> RESPValue? {
        while true {
            var value: RESPValue
            if let length = awaitedBulk {
                guard let bulk = try takeBulk(length) else { return nil }
                value = .bulk(bulk)
            } else {
                guard let line = try takeLine(isCommand: isCommand) else { return nil }
                guard let whole = try begin(line, isCommand: isCommand) else { continue }
                value = whole
            }
            while let last = openArrays.indices.last {
                openArrays[last].elements.append(value)
                openArrays[last].missing -= 1
                guard openArrays[last].missing == 0 else { break }
                value = .array(openArrays.removeLast().elements)
            }
            guard openArrays.isEmpty else { continue }
            (valueBytes, elements) = (0, 0)
            return value
        }
    }

    /// What the line is; nil for the header of something whose rest is to come.
    private mutating func begin(_ line: Range<Int>, isCommand: Bool) throws(RESPError) -> RESPValue? {
        let content = line.dropFirst()
        switch buffer[line.lowerBound] {
        case UInt8(ascii: "+"):
            return .simple(String(decoding: buffer[content], as: UTF8.self))
        case UInt8(ascii: "-"):
            return .error(RESPErrorReply(String(decoding: buffer[content], as: UTF8.self)))
        case UInt8(ascii: ":"):
            return .integer(try number(content))
        case UInt8(ascii: "$"):
            let length = try number(content)
            if length == -1, !isCommand { return .null }
            guard length >= 0 else { throw .syntax("a bulk string of negative length") }
            guard length <= limits.bulkBytes else { throw .limit("\(limits.bulkBytes) bytes in a bulk string") }
            try count(bytes: Int(length) + 2)
            awaitedBulk = Int(length)
            return nil
        default:
            let count = try number(content)
            if count == -1, !isCommand { return .null }
            guard count >= (isCommand ? 1 : 0) else {
                throw .syntax("an array of \(isCommand ? "no" : "negative") length")
            }
            guard count <= limits.elements - elements else { throw .limit("\(limits.elements) elements in arrays") }
            guard openArrays.count < limits.depth else { throw .limit("\(limits.depth) arrays inside each other") }
            elements += Int(count)
            if count == 0 { return .array([]) }
            var open = OpenArray(missing: Int(count), elements: [])
            // No more than what a header of a few bytes may claim.
            open.elements.reserveCapacity(min(Int(count), 64))
            openArrays.append(open)
            return nil
        }
    }

    private mutating func count(bytes: Int) throws(RESPError) {
        valueBytes += bytes
        guard valueBytes <= limits.valueBytes else { throw .limit("\(limits.valueBytes) bytes in a value") }
    }

    private mutating func takeBulk(_ length: Int) throws(RESPError) -> [UInt8]? {
        let end = position + length
        guard buffer.count >= end + 2 else { return nil }
        guard buffer[end] == UInt8(ascii: "\r"), buffer[end + 1] == UInt8(ascii: "\n") else {
            throw .syntax("no CRLF after a bulk string")
        }
        let bytes = Array(buffer[position..<end])
        position = end + 2
        searched = position
        awaitedBulk = nil
        return bytes
    }

    /// The line that begins here, without its CRLF; nil until that has come. Its first byte is one of the types'.
    private mutating func takeLine(isCommand: Bool) throws(RESPError) -> Range<Int>? {
        let start = position
        guard start < buffer.count else { return nil }
        let limit: Int
        switch buffer[start] {
        case UInt8(ascii: "*") where !isCommand || openArrays.isEmpty,
            UInt8(ascii: "$") where !isCommand || !openArrays.isEmpty,
            UInt8(ascii: ":") where !isCommand:
            limit = Self.longestHeader
        case UInt8(ascii: "+") where !isCommand, UInt8(ascii: "-") where !isCommand:
            limit = limits.lineBytes
        default:
            throw .syntax(isCommand ? "not an array of bulk strings" : "a byte that begins no value")
        }
        while searched < buffer.count {
            let byte = buffer[searched]
            guard byte != UInt8(ascii: "\n") else { throw .syntax("LF without CR") }
            if byte == UInt8(ascii: "\r") {
                guard searched + 1 < buffer.count else { return nil }
                guard buffer[searched + 1] == UInt8(ascii: "\n") else { throw .syntax("CR without LF") }
                let line = start..<searched
                position = searched + 2
                searched = position
                try count(bytes: position - start)
                return line
            }
            guard searched - start < limit else { throw .limit("\(limit) bytes in a line") }
            searched += 1
        }
        return nil
    }

    /// A whole number in its shortest form.
    private func number(_ digits: Range<Int>) throws(RESPError) -> Int64 {
        var rest = buffer[digits]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest = rest.dropFirst() }
        guard let first = rest.first, first != UInt8(ascii: "0") || (rest.count == 1 && !isNegative) else {
            throw .syntax("not a number")
        }
        var number: Int64 = 0
        for byte in rest {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .syntax("not a number") }
            let digit = Int64(byte - UInt8(ascii: "0"))
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard !overflow, !carried else { throw .syntax("a number beyond 64 bits") }
            number = sum
        }
        return number
    }
}
