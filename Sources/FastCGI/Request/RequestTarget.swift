/// Path and query of a request, made safe to route on.
///
/// SCRIPT_NAME and PATH_INFO differ from server to server; REQUEST_URI is raw on all of them, so it is the usual source.
/// The path becomes the one form of ``CanonicalPath``, resolved the way in which web servers match their locations (RFC
/// 3986, section 5.2.4; empty segments merged). Where servers disagree about a path it is refused: a rule for a location
/// must not be passed by a spelling of it.
struct RequestTarget {
    /// Path below the mount point, from its `/`, in the form of ``CanonicalPath``.
    let path: ByteString
    /// All after the first `?`, raw.
    let query: String
    /// The path was sent with a dot segment at its end: to nginx there is a slash in its place, to Caddy there is none.
    private(set) var endsWithDotSegment = false

    /// Why a target cannot be routed.
    enum Failure: Error, Equatable {
        /// What makes it no path, said of the parameter that held it.
        case malformed(String)
        /// A path that is not below the mount point.
        case outsideMount
    }

    /// What cannot be routed has no path: a step that goes by the path shall not take it for one that was checked.
    static let unroutable = RequestTarget(path: "", query: "")

    private init(path: ByteString, query: String) {
        self.path = path
        self.query = query
    }

    /// Reads an address as the client sent it: a path or an absolute URI, percent-encoded, with its query.
    init(raw uri: UnsafeRawBufferPointer, mount: MountPoint) throws(Failure) {
        let (pathRange, queryRange) = try Self.parts(uri)
        query = queryRange.isEmpty ? "" : String(decoding: uri[queryRange], as: UTF8.self)
        let bytes = UnsafeRawBufferPointer(rebasing: uri[pathRange])
        if let plain = Self.plainPath(bytes, mount) {
            path = plain
            return
        }
        var canonical = CanonicalPath()
        // A URI that ends with its authority has the root's path (RFC 9110, section 4.2.3); nginx tells of it as `?query`.
        if !bytes.isEmpty || pathRange.lowerBound == 0 && uri.first != UInt8(ascii: "?") {
            guard bytes.first == UInt8(ascii: "/") else {
                // `OPTIONS *` is the one target that is no path (RFC 9112, section 3.2.4): nothing of ours.
                throw .malformed(uri.isEmpty ? "is empty" : "is not an absolute path")
            }
            try canonical.append(encoded: UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
        }
        path = try canonical.path(below: mount)
        endsWithDotSegment = canonical.endsWithDotSegment
    }

    /// Reads a path that the web server has decoded and resolved: it is split at its slashes, and all else in it stands
    /// for itself, `%`, `?` and `#` too.
    ///
    /// - Parameter query: QUERY_STRING, raw.
    init(decoded path: UnsafeRawBufferPointer, query: String, mount: MountPoint) throws(Failure) {
        self.query = query
        if let plain = Self.plainPath(path, mount) {
            self.path = plain
            return
        }
        guard path.first == UInt8(ascii: "/") else { throw .malformed("is not an absolute path") }
        var canonical = CanonicalPath()
        try canonical.append(decoded: UnsafeRawBufferPointer(rebasing: path.dropFirst()))
        self.path = try canonical.path(below: mount)
    }

    /// Where path and query stand in a path or an absolute URI (RFC 9112, section 3.2.2). A fragment is no part of either,
    /// and no part of a request: web servers cut it off.
    private static func parts(
        _ uri: UnsafeRawBufferPointer
    ) throws(Failure) -> (path: Range<Int>, query: Range<Int>) {
        var start = 0
        if uri.first != UInt8(ascii: "/"), let authority = schemeEnd(uri) {
            start = authority
            while start < uri.count, !isDelimiter(uri[start]), uri[start] != UInt8(ascii: "/") {
                // Some take a backslash for the end of the authority.
                guard uri[start] > 0x20, uri[start] < 0x7f, uri[start] != UInt8(ascii: "\\") else {
                    throw .malformed("has a forbidden character in its host")
                }
                start += 1
            }
        }
        var end = start
        while end < uri.count, !isDelimiter(uri[end]) { end += 1 }
        guard end < uri.count, uri[end] == UInt8(ascii: "?") else { return (start..<end, end..<end) }
        var queryEnd = end + 1
        while queryEnd < uri.count, uri[queryEnd] != UInt8(ascii: "#") { queryEnd += 1 }
        return (start..<end, end + 1..<queryEnd)
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// Where the authority begins, if it starts as an HTTP URI does. Only letters have two cases.
    private static func schemeEnd(_ uri: UnsafeRawBufferPointer) -> Int? {
        for scheme in ["http://", "https://"] where uri.count >= scheme.utf8.count {
            let isScheme = zip(uri, scheme.utf8).allSatisfy { byte, expected in
                let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(expected)
                return byte == expected || isLetter && byte | 0x20 == expected
            }
            if isScheme { return scheme.utf8.count }
        }
        return nil
    }

    /// The path below the mount point, if it is one of the usual ones that need no work: nothing encoded, no empty or dot
    /// segments, no backslash, ASCII.
    private static func plainPath(_ path: UnsafeRawBufferPointer, _ mount: MountPoint) -> ByteString? {
        let prefix = mount.prefix.count
        guard path.count > prefix, path[prefix] == UInt8(ascii: "/"), mount.isPrefix(of: path) else { return nil }
        var previous: UInt8 = 0
        for byte in path {
            guard byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "%"), byte != UInt8(ascii: "\\") else { return nil }
            if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { return nil }
            previous = byte
        }
        return ByteString(String(decoding: path[prefix...], as: UTF8.self))
    }
}
