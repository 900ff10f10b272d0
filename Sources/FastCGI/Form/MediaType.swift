/// A media type or disposition with its parameters (RFC 9110, section 5.6.6): `form-data; name="a"; filename="b"`.
struct MediaType: Equatable {
    /// What stands before the first semicolon, in lower case.
    let value: String
    /// Parameters, names in lower case; of a name that stands twice the first counts.
    let parameters: [String: String]

    /// Never fails: what is malformed is left out, and its absence refused by whoever needs it.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        var index = 0
        value = Self.token(bytes, &index, until: [UInt8(ascii: ";")]).lowercased()
        var parameters: [String: String] = [:]
        while index < bytes.count {
            index += 1
            let name = Self.token(bytes, &index, until: [UInt8(ascii: "="), UInt8(ascii: ";")]).lowercased()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { continue }
            index += 1
            let value = Self.parameterValue(bytes, &index)
            if !name.isEmpty, parameters[name] == nil { parameters[name] = value }
        }
        self.parameters = parameters
    }

    private static func parameterValue(_ bytes: [UInt8], _ index: inout Int) -> String {
        while index < bytes.count, isBlank(bytes[index]) { index += 1 }
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
            return token(bytes, &index, until: [UInt8(ascii: ";")])
        }
        index += 1
        var value: [UInt8] = []
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            // Only these two are escaped by clients; any other backslash belongs to a path of old browsers.
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count,
                bytes[index + 1] == UInt8(ascii: "\"") || bytes[index + 1] == UInt8(ascii: "\\")
            {
                index += 1
            }
            value.append(bytes[index])
            index += 1
        }
        while index < bytes.count, bytes[index] != UInt8(ascii: ";") { index += 1 }
        return String(decoding: value, as: UTF8.self)
    }

    private static func token(_ bytes: [UInt8], _ index: inout Int, until ends: [UInt8]) -> String {
        let start = index
        while index < bytes.count, !ends.contains(bytes[index]) { index += 1 }
        var slice = bytes[start..<index]
        while let first = slice.first, isBlank(first) { slice.removeFirst() }
        while let last = slice.last, isBlank(last) { slice.removeLast() }
        return String(decoding: slice, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }
}
