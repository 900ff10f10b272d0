internal import FastCGI

/// A route's path: literal segments, `:name` for any one segment, `*` at the end for the rest.
struct PathPattern: Sendable, Equatable {
    enum Segment: Equatable, Sendable {
        case literal(ByteString)
        case parameter(ByteString)
    }

    let text: ByteString
    let segments: [Segment]
    let takesRest: Bool
    let endsWithSlash: Bool

    var isLiteral: Bool {
        !takesRest && segments.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// A mistake in a pattern is the programmer's, and stops the program at start.
    init(_ text: String) {
        let slash = UInt8(ascii: "/")
        precondition(text.utf8.first == slash, "the route \"\(text)\" does not start with \"/\"")
        var parts = text.utf8.split(separator: slash).map { ByteString(Substring($0)) }
        takesRest = parts.last == "*"
        if takesRest { parts.removeLast() }
        endsWithSlash = text.utf8.last == slash
        segments = parts.map { part in
            precondition(part != "*", "\"*\" stands only at the end of a route, not inside \"\(text)\"")
            precondition(part != "." && part != "..", "no request has the dot segment of the route \"\(text)\"")
            let bytes = part.bytes
            precondition(
                !bytes.contains(UInt8(ascii: "\\")), "a backslash is %5C in a path, and in the route \"\(text)\"")
            guard bytes.first == UInt8(ascii: ":") else { return .literal(part) }
            precondition(bytes.count > 1, "a parameter of the route \"\(text)\" has no name")
            return .parameter(ByteString(bytes: bytes.dropFirst()))
        }
        // As `Request.path` writes it: empty segments merged.
        let joined = parts.map { "/\($0)" }.joined()
        self.text = ByteString(takesRest ? joined + "/*" : (endsWithSlash || joined.isEmpty ? joined + "/" : joined))
    }

    func matches(_ path: SplitPath) -> Bool {
        if takesRest {
            guard path.segments.count >= segments.count else { return false }
        } else {
            guard path.isWhole, path.segments.count == segments.count, path.endsWithSlash == endsWithSlash else {
                return false
            }
        }
        return segments.indices.allSatisfy { index in
            guard case .literal(let literal) = segments[index] else { return true }
            return literal.withUnsafeBytes { $0.elementsEqual(path.bytes[path.segments[index]]) }
        }
    }

    /// The values of the parameters in a path that matches. The rest is captured as `*`.
    func captures(_ path: SplitPath) -> [(name: ByteString, value: String)] {
        var captures: [(name: ByteString, value: String)] = []
        for (segment, range) in zip(segments, path.segments) {
            guard case .parameter(let name) = segment else { continue }
            captures.append((name, String(decoding: path.bytes[range], as: UTF8.self)))
        }
        if takesRest {
            captures.append(("*", String(decoding: path.bytes[path.rest(after: segments.count)], as: UTF8.self)))
        }
        return captures
    }

    /// Literals before parameters before the rest, from the left; longer before shorter.
    func isMorePrecise(than other: PathPattern) -> Bool {
        for (own, others) in zip(segments, other.segments) {
            switch (own, others) {
            case (.literal, .parameter): return true
            case (.parameter, .literal): return false
            default: continue
            }
        }
        if takesRest != other.takesRest { return other.takesRest }
        return segments.count > other.segments.count
    }
}
