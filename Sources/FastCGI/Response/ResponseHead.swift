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
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: response.status.phrase.utf8)
        bytes.append(contentsOf: "\r\n".utf8)
        for field in response.headers.fields {
            let name = field.name.rawName
            guard !isReserved(field.name) else { throw ResponseError(.reservedField(name)) }
            bytes.append(contentsOf: name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            let start = bytes.count
            bytes.append(contentsOf: field.value.utf8)
            guard isSafe(bytes[start...]) else { throw ResponseError(.controlCharacter(field: name)) }
            bytes.append(contentsOf: "\r\n".utf8)
        }
        if let contentLength {
            bytes.append(contentsOf: "Content-Length: ".utf8)
            append(contentLength, to: &bytes)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// The fields that only the server may set. Their lengths decide first: most names leave at once.
    private static func isReserved(_ name: HTTPField.Name) -> Bool {
        let canonical = name.canonicalName
        return switch canonical.utf8.count {
        case 6: canonical == "status"
        case 10: canonical == "connection"
        case 14: canonical == "content-length"
        case 17: canonical == "transfer-encoding"
        default: false
        }
    }

    /// No control characters but the tab (RFC 9110, section 5.5).
    private static func isSafe(_ value: ArraySlice<UInt8>) -> Bool {
        value.withUnsafeBufferPointer { value in
            var isSafe = true
            for byte in value where byte < 0x20 || byte == 0x7f { isSafe = isSafe && byte == 0x09 }
            return isSafe
        }
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(number).utf8)
    }
}
