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
        var rest = Substring(target)
        if let scheme = rest.range(of: "^http://[a-z0-9.:]+", options: .regularExpression) {
            rest = rest[scheme.upperBound...]
        }
        rest = rest.prefix { $0 != "?" }
        guard rest.hasPrefix("/"), rest.allSatisfy(Self.isPathCharacter) else { return nil }
        var segments: [String] = []
        var pieces: [Substring] = []
        var (last, hidesSeparators) = ("", false)
        let parts = rest.dropFirst().components(separatedBy: "/")
        for part in parts {
            guard let segment = part.removingPercentEncoding,
                segment.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
            else { return nil }
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

    private static func isPathCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "/-._~!$&'()*+,;=:@%".contains(character))
    }

    /// The path as a web server sees it that takes an encoded slash for a slash.
    var flattened: String {
        segments.flatMap { $0.utf8.split(separator: UInt8(ascii: "/")) }.map { "/\(Substring($0))" }.joined()
    }
}
