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
        into bytes: inout RecordBuffer
    ) throws(ResponseError) {
        let code = response.status.code
        guard (200...599).contains(code) else { throw ResponseError(.badStatus(code)) }
        bytes.append("Status: ")
        bytes.append(decimal: code)
        bytes.append(UInt8(ascii: " "))
        bytes.append(response.status.phrase)
        bytes.append("\r\n")
        for field in response.headers.fields {
            let name = field.name.rawName
            guard !isReserved(field.name) else { throw ResponseError(.reservedField(name)) }
            bytes.append(name)
            bytes.append(": ")
            let start = bytes.count
            bytes.append(field.value)
            guard isSafe(UnsafeRawBufferPointer(rebasing: bytes.bytes[start...])) else {
                throw ResponseError(.controlCharacter(field: name))
            }
            bytes.append("\r\n")
        }
        if response.isUnbuffered, response.headers[accelBuffering] == nil { bytes.append("X-Accel-Buffering: no\r\n") }
        if let contentLength {
            bytes.append("Content-Length: ")
            bytes.append(decimal: contentLength)
            bytes.append("\r\n")
        }
        bytes.append("\r\n")
    }

    private static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!

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
    private static func isSafe(_ value: UnsafeRawBufferPointer) -> Bool {
        var isSafe = true
        for byte in value where byte < 0x20 || byte == 0x7f { isSafe = isSafe && byte == 0x09 }
        return isSafe
    }
}

extension Response {
    /// What comes is to be passed on when it comes.
    fileprivate var isUnbuffered: Bool {
        switch body {
        case .asyncStream(length: nil, write: _), .events: true
        default: false
        }
    }
}
