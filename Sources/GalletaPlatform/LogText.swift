/// Makes text of a peer fit for a line of a log.
package enum LogText {
    /// One word: control characters, blanks and bytes beyond ASCII become `?`; at most 512 bytes are kept.
    package static func clean(_ text: String) -> String {
        let bytes = text.utf8.prefix(512)
        if bytes.count == text.utf8.count, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) { return text }
        return String(decoding: bytes.map { $0 > 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
