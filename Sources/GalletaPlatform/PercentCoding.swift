/// Percent-encoding (RFC 3986, section 2.1), and its kind in HTML forms (WHATWG URL, `application/x-www-form-urlencoded`).
package enum PercentCoding {
    // MARK: Text

    /// Encodes the bytes of a text but for ASCII letters and digits, and those that may stay.
    package static func encode(_ text: String, keeping others: StaticString) -> String {
        others.withUTF8Buffer { others in
            encode(text.utf8) { isLetterOrDigit($0) || others.contains($0) }
        }
    }

    /// Encodes the bytes of which `keeps` is false.
    package static func encode(_ bytes: some Collection<UInt8>, keeps: (UInt8) -> Bool) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count)
        for byte in bytes {
            if keeps(byte) { encoded.append(byte) } else { escape(byte, into: &encoded) }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Decodes; `%` without two hexadecimal digits stays as it is.
    package static func decode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        decode(ArraySlice(bytes), blank: nil)
    }

    // MARK: Forms

    /// Decodes one name or value: `+` is a space, `%` without two hexadecimal digits stays as it is. Never fails, as the
    /// standard wants it.
    package static func decodeField(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return bytes
        }
        return decode(bytes, blank: UInt8(ascii: "+"))[...]
    }

    /// Encodes one name or value; all but ASCII letters, digits and `*-._` is escaped.
    package static func encodeField(_ bytes: some Sequence<UInt8>, into encoded: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: " "):
                encoded.append(UInt8(ascii: "+"))
            case UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                encoded.append(byte)
            case let byte where isLetterOrDigit(byte):
                encoded.append(byte)
            default:
                escape(byte, into: &encoded)
            }
        }
    }

    // MARK: Bytes

    private static func decode(_ bytes: ArraySlice<UInt8>, blank: UInt8?) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
                let high = HexDigit.value(bytes[index + 1]), let low = HexDigit.value(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index] == blank ? UInt8(ascii: " ") : bytes[index])
                index += 1
            }
        }
        return decoded
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func escape(_ byte: UInt8, into encoded: inout [UInt8]) {
        encoded.append(UInt8(ascii: "%"))
        encoded.append(hexDigit(byte >> 4))
        encoded.append(hexDigit(byte & 15))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}

/// A digit of percent-encoding (RFC 3986, section 2.1).
package enum HexDigit {
    package static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
