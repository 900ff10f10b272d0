/// A header value with parameters, as Content-Type (RFC 9110, sections 5.6.6 and 8.3) and Content-Disposition have it.
///
///     multipart/form-data; boundary="a b"
struct HeaderParameters {
    /// Most parameters of one value; clients send three.
    static let maxParameters = 16

    /// Why a value is not accepted, said of the header.
    struct Failure: Error, Equatable {
        let reason: String
    }

    /// What a backslash inside quotes is.
    private enum Quoting {
        /// `\"` and `\\` stand for the second character, as RFC 9110 wants it. Browsers send a backslash as it is, so that
        /// before any other character it stands for itself.
        case escapes
        /// Always itself.
        case literal
    }

    /// What stands before the first semicolon, in lower case.
    let value: String
    private var parameters: [(name: String, value: [UInt8])] = []

    /// - Throws: ``Failure`` for a value that does not follow the grammar, or names a parameter twice: two readers of such
    ///   a value, this one and a filter before it, could choose differently. Also for one of too many parameters.
    init(_ bytes: some Collection<UInt8>) throws(Failure) {
        try self.init(Array(bytes), .escapes)
    }

    /// Reads a Content-Disposition, in which `filename="a\"` is what browsers make of a file `a\`: a value that makes no
    /// sense otherwise is read without escapes.
    init(disposition bytes: some Collection<UInt8>) throws(Failure) {
        let bytes = Array(bytes)
        do throws(Failure) {
            try self.init(bytes, .escapes)
        } catch {
            guard bytes.contains(UInt8(ascii: "\\")) else { throw error }
            try self.init(bytes, .literal)
        }
    }

    private init(_ bytes: [UInt8], _ quoting: Quoting) throws(Failure) {
        guard !bytes.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") || $0 == 0x7f }) else {
            throw Failure(reason: "holds a control character")
        }
        var reader = Reader(bytes: bytes, quoting: quoting)
        reader.skipSpace()
        value = reader.token(and: UInt8(ascii: "/")).lowercased()
        guard !value.isEmpty else { throw Failure(reason: "is empty") }
        reader.skipSpace()
        while reader.take(UInt8(ascii: ";")) {
            reader.skipSpace()
            if reader.isAtEnd || reader.next == UInt8(ascii: ";") { continue }
            guard parameters.count < Self.maxParameters else {
                throw Failure(reason: "has more than \(Self.maxParameters) parameters")
            }
            let name = reader.token().lowercased()
            guard !name.isEmpty, reader.take(UInt8(ascii: "=")), let value = reader.parameterValue() else {
                throw Failure(reason: "has a parameter that cannot be parsed")
            }
            guard self[name] == nil else { throw Failure(reason: "has a parameter twice") }
            parameters.append((name, value))
            reader.skipSpace()
        }
        guard reader.isAtEnd else { throw Failure(reason: "cannot be parsed") }
    }

    /// The bytes of a parameter, its name in lower case; nil when absent.
    subscript(name: String) -> [UInt8]? {
        parameters.first { $0.name == name }?.value
    }

    /// The names of the parameters, in lower case.
    var names: some Sequence<String> { parameters.lazy.map(\.name) }

    private struct Reader {
        let bytes: [UInt8]
        let quoting: Quoting
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
            while let byte = next, HeaderParameters.isTokenByte(byte) || byte == extra { index += 1 }
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
                if quoting == .escapes, byte == UInt8(ascii: "\\"), let quoted = next,
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
    }

    /// A character of a token (RFC 9110, section 5.6.2).
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
