/// A route's path: literal segments, `:name` for any one segment, `*` at the end for the rest.
struct PathPattern: Sendable, Equatable {
    enum Segment: Equatable, Sendable {
        case literal(String)
        case parameter(String)
    }

    let text: String
    let segments: [Segment]
    let takesRest: Bool
    let endsWithSlash: Bool

    var isLiteral: Bool {
        !takesRest && segments.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// A mistake in a pattern is the programmer's, and stops the program at start.
    init(_ text: String) {
        precondition(text.hasPrefix("/"), "the route \"\(text)\" does not start with \"/\"")
        var parts = text.split(separator: "/").map(String.init)
        takesRest = parts.last == "*"
        if takesRest { parts.removeLast() }
        endsWithSlash = text.hasSuffix("/")
        segments = parts.map { part in
            precondition(part != "*", "\"*\" stands only at the end of a route, not inside \"\(text)\"")
            guard part.hasPrefix(":") else { return .literal(part) }
            precondition(part.count > 1, "a parameter of the route \"\(text)\" has no name")
            return .parameter(String(part.dropFirst()))
        }
        // As `Request.path` writes it: empty segments merged.
        let joined = parts.map { "/" + $0 }.joined()
        self.text = takesRest ? joined + "/*" : (endsWithSlash || joined.isEmpty ? joined + "/" : joined)
    }

    /// The values of the parameters, or nil if the path does not match. The rest is captured as `*`.
    func captures(path: String, segments given: [String]) -> [(name: String, value: String)]? {
        guard takesRest ? given.count >= segments.count : given.count == segments.count else { return nil }
        if !takesRest, path.utf8.count > 1, (path.utf8.last == UInt8(ascii: "/")) != endsWithSlash { return nil }
        var captures: [(name: String, value: String)] = []
        for (segment, value) in zip(segments, given) {
            switch segment {
            case .literal(let text): guard text == value else { return nil }
            case .parameter(let name): captures.append((name, value))
            }
        }
        if takesRest { captures.append(("*", given[segments.count...].joined(separator: "/"))) }
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
