internal import FastCGI
internal import Sessions

/// The body of a request, and what it is.
public struct TestContent: Sendable {
    /// The bytes.
    public let bytes: [UInt8]
    /// The media type; nil sends none.
    public let type: String?

    /// Bytes of a media type.
    public static func bytes(_ bytes: [UInt8], type: String? = "application/octet-stream") -> TestContent {
        TestContent(bytes: bytes, type: type)
    }

    /// Text in UTF-8.
    public static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> TestContent {
        TestContent(bytes: Array(text.utf8), type: type)
    }

    /// A form as browsers send it: `application/x-www-form-urlencoded`.
    public static func form(_ fields: FormFields) -> TestContent {
        TestContent(bytes: Array(fields.urlEncoded.utf8), type: "application/x-www-form-urlencoded")
    }

    /// A value as JSON (RFC 8259).
    ///
    /// - Throws: `EncodingError` or `SessionError` for what JSON cannot hold, such as a NaN.
    public static func json(_ value: some Encodable) throws -> TestContent {
        TestContent(bytes: try SessionValue(encoding: value).jsonBytes(), type: "application/json")
    }

    /// A form with files as browsers send it: `multipart/form-data` (RFC 7578).
    public static func multipart(_ parts: [TestPart]) -> TestContent {
        // Nothing that a test sends holds it by chance.
        let boundary = "----GalletaTesting7MA4YWxkTrZu0gW"
        var bytes: [UInt8] = []
        for part in parts {
            bytes += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(quoted(part.name))\"".utf8
            if let filename = part.filename { bytes += "; filename=\"\(quoted(filename))\"".utf8 }
            if let type = part.type { bytes += "\r\nContent-Type: \(type)".utf8 }
            bytes += "\r\n\r\n".utf8
            bytes += part.bytes
            bytes += "\r\n".utf8
        }
        bytes += "--\(boundary)--\r\n".utf8
        return TestContent(bytes: bytes, type: "multipart/form-data; boundary=\(boundary)")
    }

    /// What would end the name is escaped as browsers do (HTML Standard, section 4.10.21.8).
    private static func quoted(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"": text += "%22"
            case "\r": text += "%0D"
            case "\n": text += "%0A"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// One part of a form with files.
public struct TestPart: Sendable {
    let name: String
    let filename: String?
    let type: String?
    let bytes: [UInt8]

    /// A field of text.
    public static func field(_ name: String, _ value: String) -> TestPart {
        TestPart(name: name, filename: nil, type: nil, bytes: Array(value.utf8))
    }

    /// A file.
    ///
    /// - Parameters:
    ///   - name: The field's name.
    ///   - filename: The file's name, as the visitor's system has it.
    ///   - type: The media type that the browser takes it for.
    ///   - bytes: The content.
    public static func file(
        _ name: String, filename: String, type: String = "application/octet-stream", _ bytes: [UInt8]
    ) -> TestPart {
        TestPart(name: name, filename: filename, type: type, bytes: bytes)
    }
}
