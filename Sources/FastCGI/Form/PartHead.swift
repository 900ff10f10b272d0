/// The headers of one part of `multipart/form-data` (RFC 7578, section 4).
struct PartHead: Equatable {
    /// Most headers of one part; browsers send two.
    static let maxHeaders = 16

    /// Name of the form's field.
    var name: String
    /// The file's name as the client gave it; nil for a field that is no file. `filename*` is not looked at (RFC 7578,
    /// section 4.2).
    var filename: String?
    /// The part's own Content-Type.
    var contentType: String?

    init(name: String, filename: String? = nil, contentType: String? = nil) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }

    /// Parses the lines up to the blank one, which is not part of `block`.
    init(parsing block: ArraySlice<UInt8>) throws(FormError) {
        var disposition: HeaderParameters?
        var contentType: String?
        var start = block.startIndex
        var headers = 0
        while start < block.endIndex {
            headers += 1
            guard headers <= Self.maxHeaders else { throw FormError(.partHeadTooLarge(limit: Self.maxHeaders)) }
            let end = Self.lineEnd(in: block[start...])
            let (name, value) = try Self.split(block[start..<end])
            switch name {
            case "content-disposition":
                guard disposition == nil, let parsed = HeaderParameters(value), parsed.value == "form-data" else {
                    throw FormError(.malformed("a part's Content-Disposition is no single form-data"))
                }
                disposition = parsed
            case "content-type":
                contentType = String(decoding: value, as: UTF8.self)
            case "content-transfer-encoding":
                // Deprecated (RFC 7578, section 4.7); to ignore one that changes the bytes would corrupt them.
                guard ["binary", "8bit", "7bit"].contains(String(decoding: value, as: UTF8.self).lowercased()) else {
                    throw FormError(.malformed("a part has a Content-Transfer-Encoding"))
                }
            default:
                break
            }
            start = end + 2
        }
        guard let disposition, let name = disposition["name"] else {
            throw FormError(.malformed("a part has no name in a Content-Disposition"))
        }
        self.init(
            name: Self.text(name), filename: disposition["filename"].map(Self.text), contentType: contentType)
    }

    private static func lineEnd(in lines: ArraySlice<UInt8>) -> Int {
        var index = lines.startIndex
        while index + 1 < lines.endIndex {
            if lines[index] == UInt8(ascii: "\r"), lines[index + 1] == UInt8(ascii: "\n") { return index }
            index += 1
        }
        return lines.endIndex
    }

    /// The name in lower case and the value without the space around it.
    private static func split(_ line: ArraySlice<UInt8>) throws(FormError) -> (String, ArraySlice<UInt8>) {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !line.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") || $0 == 0x7f })
        else { throw FormError(.malformed("a part has a line that is no header")) }
        var value = line[(colon + 1)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value.removeLast() }
        return (String(decoding: line[..<colon], as: UTF8.self).lowercased(), value)
    }

    /// Undoes the three escapes that browsers use in names (HTML, section 4.10.21.8); other `%` are literal.
    private static func text(_ bytes: [UInt8]) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else { return String(decoding: bytes, as: UTF8.self) }
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let escape = bytes[index...].prefix(3)
            if escape.elementsEqual("%22".utf8) {
                decoded.append(UInt8(ascii: "\""))
            } else if escape.elementsEqual("%0D".utf8) {
                decoded.append(UInt8(ascii: "\r"))
            } else if escape.elementsEqual("%0A".utf8) {
                decoded.append(UInt8(ascii: "\n"))
            } else {
                decoded.append(bytes[index])
                index += 1
                continue
            }
            index += 3
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
