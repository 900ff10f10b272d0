/// A value of RESP2, the protocol of Redis and Valkey (https://redis.io/docs/latest/develop/reference/protocol-spec/).
package enum RESPValue: Equatable, Sendable {
    /// A status, as `OK`. What is not UTF-8 is replaced by U+FFFD.
    case simple(String)
    case error(RESPErrorReply)
    case integer(Int64)
    /// A bulk string: any bytes.
    case bulk([UInt8])
    /// No bulk string, or no array; written as the former.
    case null
    case array([RESPValue])
}

extension RESPValue {
    /// The bytes of a bulk string; nil for anything else.
    package var bytes: [UInt8]? {
        if case .bulk(let bytes) = self { bytes } else { nil }
    }

    /// The text of a bulk string or a status; nil for anything else.
    package var text: String? {
        switch self {
        case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
        case .simple(let text): text
        default: nil
        }
    }

    /// The number; nil for anything but an integer.
    package var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// The elements of an array; nil for anything else.
    package var array: [RESPValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }
}

/// What a server says in place of a result: a code and a text, as `WRONGTYPE Operation against a key …`.
package struct RESPErrorReply: Hashable, Sendable {
    /// All of it, the code included.
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    /// The first word: `ERR`, `NOSCRIPT`, `MOVED`.
    package var code: Substring { text.prefix { $0 != " " } }

    /// The words after the code.
    package var words: [Substring] { Array(text.split(separator: " ").dropFirst()) }
}
