internal import struct GalletaPlatform.ByteString

/// A strict parser of JSON text (RFC 8259), bounded in depth.
struct JSONParser {
    private let bytes: UnsafeRawBufferPointer
    private let maximumDepth: Int
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(SessionError) -> SessionValue {
        let value = try value(depth: 0)
        skipBlanks()
        guard offset == bytes.count else { throw failure("text after the value") }
        return value
    }

    private mutating func value(depth: Int) throws(SessionError) -> SessionValue {
        skipBlanks()
        guard let byte = peek() else { throw failure("the text ends early") }
        switch byte {
        case 0x7B: return try object(depth: depth)
        case 0x5B: return try array(depth: depth)
        case 0x22: return .string(try string())
        case 0x2D, 0x30...0x39: return try number()
        case 0x74: return try literal("true", .bool(true))
        case 0x66: return try literal("false", .bool(false))
        case 0x6E: return try literal("null", .null)
        default: throw failure("no value begins so")
        }
    }

    private mutating func object(depth: Int) throws(SessionError) -> SessionValue {
        // One more for bytes, which are an object in JSON only.
        guard depth <= maximumDepth else { throw failure("nested too deep") }
        offset += 1
        var members = SessionObject()
        skipBlanks()
        if take(0x7D) {
            guard depth < maximumDepth else { throw failure("nested too deep") }
            return .object(members)
        }
        repeat {
            skipBlanks()
            guard peek() == 0x22 else { throw failure("a key must be a string") }
            let key = ByteString(try string())
            skipBlanks()
            guard take(0x3A) else { throw failure("a colon is missing") }
            members[key] = try value(depth: depth + 1)
            skipBlanks()
        } while take(0x2C)
        guard take(0x7D) else { throw failure("the object does not end") }
        guard let value = JSONBytes.resolve(members) else { throw failure("$bytes is not base64url") }
        if depth == maximumDepth, case .object = value { throw failure("nested too deep") }
        return value
    }

    private mutating func array(depth: Int) throws(SessionError) -> SessionValue {
        guard depth < maximumDepth else { throw failure("nested too deep") }
        offset += 1
        var elements: [SessionValue] = []
        skipBlanks()
        if take(0x5D) { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
        } while take(0x2C)
        guard take(0x5D) else { throw failure("the array does not end") }
        return .array(elements)
    }

    private mutating func number() throws(SessionError) -> SessionValue {
        let start = offset
        var isWhole = true
        _ = take(0x2D)
        if !take(0x30) {
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        if take(0x2E) {
            isWhole = false
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        if take(0x65) || take(0x45) {
            isWhole = false
            if !take(0x2B) { _ = take(0x2D) }
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isWhole, text != "-0", let number = Int64(text) { return .int(number) }
        guard let number = Double(text), number.isFinite else { throw failure("the number is too large") }
        return .double(number)
    }

    private mutating func digits() -> Int {
        let start = offset
        while let byte = peek(), byte >= 0x30, byte <= 0x39 { offset += 1 }
        return offset - start
    }

    private mutating func string() throws(SessionError) -> String {
        offset += 1
        let start = offset
        // Most strings hold no escape: one look, one copy.
        while let byte = peek(), byte != 0x22, byte != 0x5C, byte >= 0x20 { offset += 1 }
        if peek() == 0x22 {
            defer { offset += 1 }
            return try text(bytes[start..<offset])
        }
        var decoded = Array(bytes[start..<offset])
        while let byte = peek() {
            offset += 1
            switch byte {
            case 0x22: return try text(decoded)
            case 0x5C: try escape(into: &decoded)
            case 0..<0x20: throw failure("a control character in a string")
            default: decoded.append(byte)
            }
        }
        throw failure("the string does not end")
    }

    private func text(_ bytes: some Collection<UInt8>) throws(SessionError) -> String {
        guard let text = String(utf8: bytes) else { throw failure("not valid UTF-8") }
        return text
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(SessionError) {
        guard let byte = peek() else { throw failure("the string does not end") }
        offset += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: decoded.append(byte)
        case 0x62: decoded.append(0x08)
        case 0x66: decoded.append(0x0C)
        case 0x6E: decoded.append(0x0A)
        case 0x72: decoded.append(0x0D)
        case 0x74: decoded.append(0x09)
        case 0x75:
            var code = try hex4()
            if code & 0xFC00 == 0xD800 {
                guard take(0x5C), take(0x75) else { throw failure("half of a surrogate pair") }
                let low = try hex4()
                guard low & 0xFC00 == 0xDC00 else { throw failure("half of a surrogate pair") }
                code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
            decoded.append(contentsOf: UTF8.encode(scalar)!)
        default: throw failure("no such escape")
        }
    }

    private mutating func hex4() throws(SessionError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw failure("the string does not end") }
            offset += 1
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: code = code << 4 | UInt32(byte - 0x57)
            default: throw failure("not a hexadecimal digit")
            }
        }
        return code
    }

    private mutating func literal(_ text: StaticString, _ value: SessionValue) throws(SessionError) -> SessionValue {
        for position in 0..<text.utf8CodeUnitCount {
            guard take(text.utf8Start[position]) else { throw failure("no value begins so") }
        }
        return value
    }

    private mutating func skipBlanks() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    private func peek() -> UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    private func failure(_ reason: String) -> SessionError {
        SessionError(.invalidEncoding, "JSON at byte \(offset): \(reason)")
    }
}
