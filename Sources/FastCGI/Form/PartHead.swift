internal import struct GalletaPlatform.ByteString

/// The headers of one part of `multipart/form-data` (RFC 7578, section 4).
struct PartHead: Equatable {
    /// Most headers of one part; browsers send two.
    static let maxHeaders = 16

    /// Name of the form's field.
    var name: ByteString
    /// The file's name as the client gave it; nil for a field that is no file.
    ///
    /// Clients send `filename*` (RFC 8187), although RFC 7578, section 4.2, forbids it. It counts where `filename` is
    /// absent, or a stand-in for it: ASCII, with the same extension, for a name that ASCII cannot write. A filter that
    /// knows `filename` alone sees the extension that counts.
    var filename: String?
    /// The part's own Content-Type.
    var contentType: String?
    /// The charset of a field that names one itself.
    var charset: FormCharset?

    init(name: ByteString, filename: String? = nil, contentType: String? = nil, charset: FormCharset? = nil) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
        self.charset = charset
    }

    /// Parses the lines up to the blank one, which is not part of `block`.
    init(parsing block: ArraySlice<UInt8>) throws(FormError) {
        var disposition: HeaderParameters?
        var contentType: ArraySlice<UInt8>?
        var start = block.startIndex
        var headers = 0
        while start < block.endIndex {
            headers += 1
            guard headers <= Self.maxHeaders else { throw FormError(.partHeadTooLarge(limit: Self.maxHeaders)) }
            let end = Self.lineEnd(in: block[start...])
            let (name, value) = try Self.split(block[start..<end])
            switch name {
            case "content-disposition":
                guard disposition == nil else {
                    throw FormError(.malformed("a part has two Content-Dispositions"))
                }
                disposition = try Self.disposition(value)
            case "content-type":
                guard contentType == nil else { throw FormError(.malformed("a part has two Content-Types")) }
                contentType = value
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
        guard let disposition, let name = try Self.name(disposition) else {
            throw FormError(.malformed("a part has no name in a Content-Disposition"))
        }
        let filename = try Self.filename(disposition)
        self.init(
            name: name, filename: filename, contentType: contentType.map { String(decoding: $0, as: UTF8.self) },
            charset: filename == nil ? try contentType.flatMap(Self.charset) : nil)
    }

    private static func disposition(_ value: ArraySlice<UInt8>) throws(FormError) -> HeaderParameters {
        let parsed: HeaderParameters
        do throws(HeaderParameters.Failure) {
            parsed = try HeaderParameters(disposition: value)
        } catch {
            throw FormError(.malformed("a part's Content-Disposition \(error.reason)"))
        }
        guard parsed.value == "form-data" else {
            throw FormError(.malformed("a part's Content-Disposition is not form-data"))
        }
        // `filename*0` and its kind (RFC 2231, section 3) are for mail: some readers put them together, others do not.
        for name in parsed.names where name.hasPrefix("filename*") || name.hasPrefix("name*") {
            guard name == "filename*" || name == "name*" else {
                throw FormError(.malformed("a part's Content-Disposition has a parameter in pieces"))
            }
        }
        return parsed
    }

    private static func name(_ disposition: HeaderParameters) throws(FormError) -> ByteString? {
        guard let extended = disposition["name*"] else {
            return disposition["name"].map { ByteString(bytes: unescaped($0)) }
        }
        guard disposition["name"] == nil else { throw FormError(.malformed("a part has both name and name*")) }
        return ByteString(try self.extended(extended, "name*"))
    }

    private static func filename(_ disposition: HeaderParameters) throws(FormError) -> String? {
        let plain = disposition["filename"].map {
            EncodedText.word($0) ?? String(decoding: unescaped($0), as: UTF8.self)
        }
        guard let bytes = disposition["filename*"] else { return plain }
        let extended = try extended(bytes, "filename*")
        guard let plain else { return extended }
        return isStandIn(plain, for: extended) ? extended : plain
    }

    private static func extended(_ bytes: [UInt8], _ name: String) throws(FormError) -> String {
        guard let text = EncodedText.extended(bytes) else {
            throw FormError(.malformed("a part's \(name) is not as RFC 8187 wants it"))
        }
        return text
    }

    private static func isStandIn(_ plain: String, for extended: String) -> Bool {
        func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }
        guard isASCII(plain), !isASCII(extended) else { return false }
        return fileExtension(plain) == fileExtension(extended)
    }

    /// What follows the last dot, ASCII letters in lower case; nil without a dot.
    private static func fileExtension(_ name: String) -> [UInt8]? {
        let utf8 = name.utf8
        guard let dot = utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        return utf8[utf8.index(after: dot)...].map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    }

    /// - Throws: ``FormError`` (415) for a charset that is not known. A type that cannot be parsed names none.
    private static func charset(_ contentType: ArraySlice<UInt8>) throws(FormError) -> FormCharset? {
        guard let parsed = try? HeaderParameters(contentType), parsed["charset"] != nil else { return nil }
        return try parsed.charset()
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
    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "%")) else { return bytes }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            var byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "%"), index + 1 < bytes.count {
                let escaped: UInt8? =
                    switch (bytes[index], bytes[index + 1]) {
                    case (UInt8(ascii: "2"), UInt8(ascii: "2")): UInt8(ascii: "\"")
                    case (UInt8(ascii: "0"), UInt8(ascii: "D")): UInt8(ascii: "\r")
                    case (UInt8(ascii: "0"), UInt8(ascii: "A")): UInt8(ascii: "\n")
                    default: nil
                    }
                if let escaped {
                    byte = escaped
                    index += 2
                }
            }
            decoded.append(byte)
        }
        return decoded
    }
}
