internal import struct GalletaPlatform.ByteString

/// Writes JSON text (RFC 8259), UTF-8, without blanks.
struct JSONWriter {
    private(set) var out: [UInt8] = []

    mutating func write(_ value: SessionValue, depth: Int = 0) throws(SessionError) {
        switch value {
        case .null: append("null")
        case .bool(let flag): append(flag ? "true" : "false")
        case .int(let number): out.append(contentsOf: String(number).utf8)
        case .double(let number):
            guard number.isFinite else {
                throw SessionError(.notEncodable, "JSON has no form for NaN and the infinities")
            }
            // "1.0", "1e+16": always with a mark that keeps it a double when read back.
            out.append(contentsOf: number.description.utf8)
        case .string(let text): write(text: text)
        case .bytes(let bytes):
            append("{\"$bytes\":\"")
            out.append(contentsOf: Base64URL.string(bytes).utf8)
            append("\"}")
        case .opaque(let value):
            throw SessionError(.notEncodable, "JSON has no form for an opaque value of type \(value.typeName)")
        case .array(let elements):
            try checkDepth(depth)
            out.append(0x5B)
            for position in elements.indices {
                if position > 0 { out.append(0x2C) }
                try write(elements[position], depth: depth + 1)
            }
            out.append(0x5D)
        case .object(let members):
            try checkDepth(depth)
            let escapes = members.count == 1 && JSONBytes.isMarker(members[0].key)
            out.append(0x7B)
            for position in members.indices {
                if position > 0 { out.append(0x2C) }
                guard let key = members[position].key.validString else {
                    throw SessionError(.notEncodable, "JSON has no form for an object's key that is not UTF-8")
                }
                write(text: escapes ? "$" + key : key)
                out.append(0x3A)
                try write(members[position].value, depth: depth + 1)
            }
            out.append(0x7D)
        }
    }

    private mutating func write(text: String) {
        out.append(0x22)
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for (position, byte) in bytes.enumerated() {
                guard byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F || byte == 0x3C else { continue }
                out.append(contentsOf: bytes[start..<position])
                start = position + 1
                escape(byte)
            }
            out.append(contentsOf: bytes[start...])
        }
        out.append(0x22)
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        default:
            // "<" too, so that text inside a <script> element cannot end it.
            append("\\u00")
            out.append(Self.hex(byte >> 4))
            out.append(Self.hex(byte & 15))
        }
    }

    private static func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? 0x30 + digit : 0x57 + digit
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { out.append(contentsOf: $0) }
    }

    private func checkDepth(_ depth: Int) throws(SessionError) {
        guard depth < SessionValue.maximumDepth else {
            throw SessionError(.notEncodable, "arrays and objects nest deeper than \(SessionValue.maximumDepth)")
        }
    }
}

/// How bytes are told from text in JSON: an object of the one member `$bytes` with base64url.
///
/// An object that looks like one by chance gets one `$` more when written and loses it when read.
enum JSONBytes {
    /// True for `$bytes`, `$$bytes` and so on.
    static func isMarker(_ key: ByteString) -> Bool {
        key.withUnsafeBytes { $0.suffix(6).elementsEqual("$bytes".utf8) && $0.dropLast(6).allSatisfy { $0 == 0x24 } }
    }

    /// The value that an object read from JSON stands for.
    static func resolve(_ members: SessionObject) -> SessionValue? {
        guard members.count == 1, isMarker(members[0].key) else { return .object(members) }
        let (key, value) = members[0]
        if key == "$bytes" {
            guard case .string(let text) = value, let bytes = Base64URL.bytes(text) else { return nil }
            return .bytes(bytes)
        }
        return .object([ByteString(bytes: key.bytes.dropFirst()): value])
    }
}
