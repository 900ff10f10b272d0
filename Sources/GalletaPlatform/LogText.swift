/// Makes text of a peer fit for a line of a log.
package enum LogText {
    /// One word: control characters, blanks and bytes beyond ASCII become `?`; at most 512 bytes are kept.
    package static func clean(_ text: String) -> String {
        let bytes = text.utf8.prefix(512)
        if bytes.count == text.utf8.count, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) { return text }
        return String(decoding: bytes.map { $0 > 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// A message, perhaps with a peer's words in it: what could end the line or steer a terminal is escaped.
    ///
    /// Control characters, C1 included, become `\n`, `\r`, `\t` and `\x1b`; Unicode's line ends and marks that turn the
    /// direction of writing become `\u{202e}`.
    package static func line(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0a: escaped += "\\n"
            case 0x0d: escaped += "\\r"
            case 0x09: escaped += "\\t"
            case ..<0x20, 0x7f...0x9f:
                escaped += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            case 0x2028...0x202e, 0x2066...0x2069: escaped += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
