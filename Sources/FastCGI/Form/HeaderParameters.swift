/// A header value with parameters, as Content-Type (RFC 9110, sections 5.6.6 and 8.3) and Content-Disposition have it.
///
///     multipart/form-data; boundary="a b"
struct HeaderParameters {
    /// What stands before the first semicolon, in lower case.
    let value: String
    private var parameters: [(name: String, value: [UInt8])] = []

    /// Nil for a value that does not follow the grammar, or names a parameter twice: two readers of such a value, this
    /// one and a filter before it, could choose differently.
    init?(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard !bytes.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") || $0 == 0x7f }) else { return nil }
        var reader = Reader(bytes: bytes)
        reader.skipSpace()
        value = reader.token(and: UInt8(ascii: "/")).lowercased()
        guard !value.isEmpty else { return nil }
        reader.skipSpace()
        while reader.take(UInt8(ascii: ";")) {
            reader.skipSpace()
            if reader.isAtEnd || reader.next == UInt8(ascii: ";") { continue }
            let name = reader.token().lowercased()
            guard !name.isEmpty, reader.take(UInt8(ascii: "=")), let value = reader.parameterValue(),
                self[name] == nil
            else { return nil }
            parameters.append((name, value))
            reader.skipSpace()
        }
        guard reader.isAtEnd else { return nil }
    }

    /// The bytes of a parameter, its name in lower case; nil when absent.
    subscript(name: String) -> [UInt8]? {
        parameters.first { $0.name == name }?.value
    }

    private struct Reader {
        let bytes: [UInt8]
        var index = 0

        var isAtEnd: Bool { index == bytes.count }
        var next: UInt8? { isAtEnd ? nil : bytes[index] }

        mutating func skipSpace() {
            while next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") { index += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            index += 1
            return true
        }

        mutating func token(and extra: UInt8? = nil) -> String {
            let start = index
            while let byte = next, isTokenByte(byte) || byte == extra { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }

        mutating func parameterValue() -> [UInt8]? {
            guard take(UInt8(ascii: "\"")) else {
                let start = index
                // Wider than a token: Java clients send `boundary=----=_Part_1` bare. A comma would be the seam of two
                // headers that a proxy joined.
                while let byte = next, byte > 0x20, byte != UInt8(ascii: ";"), byte != UInt8(ascii: ","),
                    byte != UInt8(ascii: "\"")
                {
                    index += 1
                }
                return index == start ? nil : Array(bytes[start..<index])
            }
            var value: [UInt8] = []
            while let byte = next {
                index += 1
                if byte == UInt8(ascii: "\"") { return value }
                // Browsers send a backslash as it is, others quote with it: only `\"` and `\\` are taken for quoted.
                if byte == UInt8(ascii: "\\"), let quoted = next,
                    quoted == UInt8(ascii: "\"") || quoted == UInt8(ascii: "\\")
                {
                    index += 1
                    value.append(quoted)
                } else {
                    value.append(byte)
                }
            }
            return nil
        }

        private func isTokenByte(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default:
                "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
    }
}
