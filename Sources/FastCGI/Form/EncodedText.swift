internal import GalletaPlatform

/// The two ways in which clients write text beyond ASCII in the header fields of a form's part.
enum EncodedText {
    /// The text of an extended parameter, `UTF-8'en'caf%C3%A9` (RFC 8187, section 3.2); nil for what is none.
    static func extended(_ bytes: [UInt8]) -> String? {
        let fields = bytes.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard fields.count == 3, let charset = FormCharset(name: fields[0]) else { return nil }
        return unescape(fields[2], mark: UInt8(ascii: "%"), space: nil).flatMap { charset.validText($0) }
    }

    /// The text of an encoded word that is all of `bytes`, `=?utf-8?Q?caf=C3=A9?=` (RFC 2047, section 2), as Java's mail
    /// library and others write it; nil for what is none, which then stands for itself.
    static func word(_ bytes: [UInt8]) -> String? {
        guard bytes.count > 6, bytes.starts(with: "=?".utf8), bytes[(bytes.count - 2)...].elementsEqual("?=".utf8)
        else { return nil }
        let fields = bytes[2..<bytes.count - 2]
            .split(separator: UInt8(ascii: "?"), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 3, fields[1].count == 1,
            // A language may follow the charset (RFC 2231, section 5).
            let charset = FormCharset(name: fields[0].prefix { $0 != UInt8(ascii: "*") })
        else { return nil }
        switch fields[1].first! | 0x20 {
        case UInt8(ascii: "q"):
            return unescape(fields[2], mark: UInt8(ascii: "="), space: UInt8(ascii: "_"))
                .flatMap { charset.validText($0) }
        case UInt8(ascii: "b"):
            return base64(fields[2]).flatMap { charset.validText($0) }
        default:
            return nil
        }
    }

    /// Nil when `mark` stands without two hexadecimal digits.
    private static func unescape(_ bytes: ArraySlice<UInt8>, mark: UInt8, space: UInt8?) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            guard byte == mark else {
                decoded.append(byte == space ? UInt8(ascii: " ") : byte)
                continue
            }
            guard index + 1 < bytes.endIndex, let high = HexDigit.value(bytes[index]),
                let low = HexDigit.value(bytes[index + 1])
            else { return nil }
            decoded.append(high << 4 | low)
            index += 2
        }
        return decoded
    }

    /// Base64 (RFC 4648, section 4), its padding left out or complete; nil for anything else.
    private static func base64(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        let padding = bytes.suffix(2).count { $0 == UInt8(ascii: "=") }
        let digits = bytes.dropLast(padding)
        guard digits.count % 4 != 1, padding == 0 || bytes.count % 4 == 0 else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(digits.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for byte in digits {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(digit)
            count += 6
            if count >= 8 {
                count -= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return decoded
    }
}
