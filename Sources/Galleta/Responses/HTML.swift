/// A piece of HTML: what is interpolated into a literal is escaped, unless it is HTML itself.
///
/// ```swift
/// let rows = items.map { item in "<li>\(item.name)</li>" as HTML }
/// return .html("<h1>\(title)</h1><ul>\(rows)</ul>")
/// ```
///
/// An optional that is nil leaves nothing. Escaped text is safe between tags and in quoted attributes. It is not safe as the
/// whole value of `href` or `src` where a client has chosen it (`javascript:`), nor inside `<script>` and `<style>`.
public struct HTML: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// The markup.
    public let markup: String

    /// Text that is markup already.
    public init(raw markup: String) {
        self.markup = markup
    }

    /// Text, escaped.
    public init(text: String) {
        markup = Self.escape(text)
    }

    /// A literal is markup.
    public init(stringLiteral markup: String) {
        self.markup = markup
    }

    /// A literal is markup, what is interpolated is not.
    public init(stringInterpolation: StringInterpolation) {
        markup = stringInterpolation.markup
    }

    /// The markup.
    public var description: String { markup }

    /// Both, one behind the other.
    public static func + (left: HTML, right: HTML) -> HTML { HTML(raw: left.markup + right.markup) }

    /// Escapes what could leave an element's content or a quoted attribute.
    public static func escape(_ text: String) -> String {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.contains(where: { replacement(of: $0) != nil }) else {
                return String(decoding: bytes, as: UTF8.self)
            }
            var escaped: [UInt8] = []
            escaped.reserveCapacity(bytes.count + bytes.count / 8)
            for byte in bytes {
                if let replacement = replacement(of: byte) {
                    replacement.withUTF8Buffer { escaped.append(contentsOf: $0) }
                } else {
                    escaped.append(byte)
                }
            }
            return String(decoding: escaped, as: UTF8.self)
        }
    }

    private static func replacement(of byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }

    /// Puts a literal together.
    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var markup = ""

        /// Room for a literal.
        public init(literalCapacity: Int, interpolationCount: Int) {
            markup.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        /// Markup of the literal.
        public mutating func appendLiteral(_ literal: String) {
            markup += literal
        }

        /// Anything that has a text, escaped.
        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            markup += HTML.escape(value.description)
        }

        /// Anything that has a text, escaped; nothing for nil.
        public mutating func appendInterpolation(_ value: (some CustomStringConvertible)?) {
            if let value { appendInterpolation(value) }
        }

        /// Markup, as it is.
        public mutating func appendInterpolation(_ html: HTML) {
            markup += html.markup
        }

        /// Markup, as it is; nothing for nil.
        public mutating func appendInterpolation(_ html: HTML?) {
            if let html { markup += html.markup }
        }

        /// Pieces of markup, one behind the other.
        public mutating func appendInterpolation(_ parts: [HTML]) {
            for part in parts { markup += part.markup }
        }

        /// Text that is markup already.
        public mutating func appendInterpolation(raw markup: String) {
            self.markup += markup
        }
    }
}
