/// Percent-encoding as HTML forms use it (WHATWG URL, `application/x-www-form-urlencoded`).
enum PercentCoding {
    /// Decodes one name or value: `+` is a space, `%` without two hexadecimal digits stays as it is. Never fails, as the
    /// standard wants it.
    static func decodeField(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return bytes
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "+"):
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if let byte = escape(at: index, in: bytes) {
                    decoded.append(byte)
                    index += 2
                } else {
                    decoded.append(UInt8(ascii: "%"))
                }
            case let byte:
                decoded.append(byte)
            }
            index += 1
        }
        return decoded[...]
    }

    /// Encodes one name or value; all but ASCII letters, digits and `*-._` is escaped.
    static func encodeField(_ bytes: some Sequence<UInt8>, into encoded: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: " "):
                encoded.append(UInt8(ascii: "+"))
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                encoded.append(byte)
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded.append(hexDigit(byte >> 4))
                encoded.append(hexDigit(byte & 15))
            }
        }
    }

    /// The byte that the escape at `index` stands for; nil if it is no complete escape.
    private static func escape(at index: Int, in bytes: ArraySlice<UInt8>) -> UInt8? {
        guard index + 2 < bytes.endIndex, let high = HexDigit.value(bytes[index + 1]),
            let low = HexDigit.value(bytes[index + 2])
        else { return nil }
        return high << 4 | low
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}

/// A digit of percent-encoding (RFC 3986, section 2.1).
enum HexDigit {
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
