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

    /// What is wrong with a pattern.
    struct Fault: Error {
        let reason: String
        let remedy: String

        init(_ reason: String, _ remedy: String) {
            self.reason = reason
            self.remedy = remedy
        }
    }

    init(_ text: String) throws(Fault) {
        let slash = UInt8(ascii: "/")
        guard text.utf8.first == slash else { throw Fault("its path does not start with \"/\"", "put one in front") }
        var parts = text.utf8.split(separator: slash).map { ByteString(Substring($0)) }
        takesRest = parts.last == "*"
        if takesRest { parts.removeLast() }
        endsWithSlash = text.utf8.last == slash
        var segments: [Segment] = []
        for part in parts {
            // Other libraries' patterns, which would be taken for text.
            guard !part.bytes.contains(where: { "*{}".utf8.contains($0) }) else {
                throw Fault(
                    "\"*\" stands only for all of the end of a path, and braces for nothing",
                    "use a parameter such as \":name\" for a segment, and \"/*\" at the end for the rest")
            }
            guard part != ".", part != ".." else { throw Fault("no request has a dot segment", "leave it out") }
            let bytes = part.bytes
            guard !bytes.contains(UInt8(ascii: "\\")) else {
                throw Fault("no request has a backslash in its path", "a backslash that was sent is \"%5C\"")
            }
            guard !bytes.contains(0) else { throw Fault("no request has a NUL in its path", "leave it out") }
            guard bytes.first == UInt8(ascii: ":") else {
                segments.append(.literal(part))
                continue
            }
            guard bytes.count > 1 else { throw Fault("a parameter has no name", "name it, as in \":name\"") }
            segments.append(.parameter(ByteString(bytes: bytes.dropFirst())))
        }
        self.segments = segments
        let names = segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
        guard Set(names).count == names.count else {
            throw Fault("two parameters have one name", "give each a name of its own")
        }
        // As `Request.path` writes it: empty segments merged.
        let joined = parts.map { "/\($0)" }.joined()
        self.text = ByteString(takesRest ? joined + "/*" : (endsWithSlash || joined.isEmpty ? joined + "/" : joined))
    }

    /// Matches the same paths, whatever the parameters are called.
    func isSame(as other: PathPattern) -> Bool {
        guard takesRest == other.takesRest, segments.count == other.segments.count,
            takesRest || endsWithSlash == other.endsWithSlash
        else { return false }
        return zip(segments, other.segments).allSatisfy { own, others in
            switch (own, others) {
            case (.literal(let own), .literal(let others)): own == others
            case (.parameter, .parameter): true
            default: false
            }
        }
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

    /// Literals before parameters before the path's end before the rest of it, from the left: a total order, so that it does not
    /// matter in which routes were added.
    func isMorePrecise(than other: PathPattern) -> Bool { ranks.lexicographicallyPrecedes(other.ranks) }

    private var ranks: [UInt8] {
        segments.map { if case .literal = $0 { 0 } else { 1 } } + [takesRest ? 3 : 2]
    }
}
