internal import HTTPTypes

/// Turns status and fields into the header block of a CGI response (RFC 3875, section 6).
enum ResponseHead {
    /// nginx reads the whole block into one buffer of this size unless it is told otherwise.
    static let commonLimit = 4096

    /// Appends the block to `bytes`.
    ///
    /// - Throws: ``ResponseError`` if a value could end its line, or a field is the server's.
    static func encode(
        _ response: Response,
        contentLength: Int?,
        into bytes: inout [UInt8]
    ) throws(ResponseError) {
        let code = response.status.code
        guard (200...599).contains(code) else { throw ResponseError(.badStatus(code)) }
        bytes.append(contentsOf: "Status: ".utf8)
        append(code, to: &bytes)
        let reason = response.status.reasonPhrase
        if !reason.isEmpty, isSafe(reason) {
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: reason.utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
        for field in response.headers.fields {
            switch field.name.canonicalName {
            case "content-length", "transfer-encoding", "connection", "status":
                throw ResponseError(.reservedField(field.name.rawName))
            default: break
            }
            guard isSafe(field.value) else { throw ResponseError(.controlCharacter(field: field.name.rawName)) }
            bytes.append(contentsOf: field.name.rawName.utf8)
            bytes.append(contentsOf: ": ".utf8)
            bytes.append(contentsOf: field.value.utf8)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        if let contentLength {
            bytes.append(contentsOf: "Content-Length: ".utf8)
            append(contentLength, to: &bytes)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// No control characters but the tab (RFC 9110, section 5.5).
    private static func isSafe(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(number).utf8)
    }
}
