import Foundation

/// What a request target means by RFC 3986 alone, if it means the same to everybody.
///
/// A reading of its own, to compare the real one with: whole texts, no bytes.
struct PlainTarget {
    /// Decoded, dot segments resolved, empty segments dropped.
    let segments: [String]
    /// A slash or a dot segment stands at its end.
    let endsWithSlash: Bool
    /// Web servers disagree about whether there is a slash in the place of the last dot segment.
    let endsWithDotSegment: Bool

    /// Nil when it is no honest target: not made of a URI's characters, not UTF-8, with control characters, above the root,
    /// or with an encoded slash or backslash beside a dot segment.
    init?(_ target: String) {
        // With another host than the Host field's it is refused by some (RFC 9112, section 3.2.2).
        var rest = Substring(target)
        if rest.hasPrefix("http://localhost/") { rest = rest.dropFirst("http://localhost".count) }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard rest.hasPrefix("/"), parts.allSatisfy({ $0.allSatisfy(Self.isAllowed) && Self.decode($0) != nil }) else {
            return nil
        }
        var segments: [String] = []
        var pieces: [Substring] = []
        var (last, hidesSeparators) = ("", false)
        for part in parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = Self.decode(part) else { return nil }
            let inner = segment.utf8.split(omittingEmptySubsequences: false) {
                $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\")
            }.map(Substring.init)
            pieces += inner
            if inner.count > 1 { hidesSeparators = true }
            switch segment {
            case "", ".": break
            case "..": if segments.popLast() == nil { return nil }
            default: segments.append(segment)
            }
            last = segment
        }
        let hasDotSegment = pieces.contains { $0 == "." || $0 == ".." }
        if hidesSeparators, hasDotSegment { return nil }
        self.segments = segments
        endsWithDotSegment = last == "." || last == ".."
        endsWithSlash = last.isEmpty || endsWithDotSegment
    }

    private static func isAllowed(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "/?-._~!$&'()*+,;=:@%".contains(character))
    }

    private static func decode(_ text: Substring) -> String? {
        let decoded = text.removingPercentEncoding
        let isClean = decoded?.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } ?? false
        return isClean ? decoded : nil
    }

    /// The path as a web server sees it that takes an encoded slash for a slash.
    var flattened: String {
        segments.flatMap { $0.utf8.split(separator: UInt8(ascii: "/")) }.map { "/\(Substring($0))" }.joined()
    }
}
