/// Path and query of a request as the web server sent them in REQUEST_URI, made safe to route on.
///
/// SCRIPT_NAME and PATH_INFO differ from server to server; REQUEST_URI is raw on all of them. It is normalised the way
/// nginx matches its locations (RFC 3986, section 5.2.4; empty segments merged), except that an encoded slash stays
/// inside its segment: it can never step out of the mount point.
struct RequestTarget {
    /// The segments, where they are not simply what stands between the slashes of `path`.
    private var unusualSegments: [String]?
    /// Decoded path below the mount point, from its `/`. A slash inside a segment shows as `%2F`.
    var path: String
    /// All after the first `?`, raw.
    var query: String

    /// Why a target cannot be routed.
    enum Failure: Error, Equatable {
        /// No REQUEST_URI, or one that is no path, has broken percent-encoding, NUL or invalid UTF-8.
        case malformed(String)
        /// A path that is not below the mount point.
        case outsideMount
    }

    /// Decoded segments below the mount point.
    var segments: [String] { unusualSegments ?? path.split(separator: "/").map(String.init) }

    /// A target that cannot be routed, as it was sent, for those who see the answer to it.
    init(unroutable uri: UnsafeRawBufferPointer) {
        let end = uri.firstIndex(of: UInt8(ascii: "?")) ?? uri.endIndex
        path = String(decoding: uri[..<end], as: UTF8.self)
        query = String(decoding: uri[min(end + 1, uri.endIndex)...], as: UTF8.self)
    }

    init(_ uri: UnsafeRawBufferPointer, mount: MountPoint) throws(Failure) {
        let pathBytes = Self.pathBytes(uri)
        query = pathBytes.query == uri.count ? "" : String(decoding: uri[pathBytes.query...], as: UTF8.self)
        if let plain = Self.plainPath(UnsafeRawBufferPointer(rebasing: uri[pathBytes.path]), mount) {
            path = plain
            return
        }
        guard let first = pathBytes.path.first else { throw .malformed("REQUEST_URI is empty") }
        guard uri[first] == UInt8(ascii: "/") else {
            // `OPTIONS *` is the one target that is no path (RFC 9112, section 3.2.4): nothing of ours.
            throw .malformed("REQUEST_URI is not an absolute path")
        }

        var all: [String] = []
        var start = first + 1
        var endsWithSlash = false
        while start <= pathBytes.path.upperBound {
            var end = start
            while end < pathBytes.path.upperBound, uri[end] != UInt8(ascii: "/") { end += 1 }
            let isLast = end == pathBytes.path.upperBound
            let segment = try Self.decode(UnsafeRawBufferPointer(rebasing: uri[start..<end]))
            switch segment {
            case "", ".":
                endsWithSlash = isLast
            case "..":
                guard !all.isEmpty else { throw .malformed("REQUEST_URI climbs above the root") }
                all.removeLast()
                endsWithSlash = isLast
            default:
                all.append(segment)
                endsWithSlash = false
            }
            start = end + 1
        }

        guard all.starts(with: mount.segments) else { throw .outsideMount }
        if !mount.segments.isEmpty { all.removeFirst(mount.segments.count) }
        unusualSegments = all
        path = Self.joined(all, endsWithSlash: endsWithSlash)
    }

    /// Where the path stands, and where the query starts, in a path or an absolute URI (RFC 9112, section 3.2.2).
    private static func pathBytes(_ uri: UnsafeRawBufferPointer) -> (path: Range<Int>, query: Int) {
        var start = 0
        if uri.first != UInt8(ascii: "/") {
            for scheme in ["http://", "https://"] {
                guard uri.count >= scheme.utf8.count, zip(uri, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
                else {
                    continue
                }
                start = scheme.utf8.count
                while start < uri.count, uri[start] != UInt8(ascii: "/"), uri[start] != UInt8(ascii: "?") { start += 1 }
            }
        }
        var end = start
        while end < uri.count, uri[end] != UInt8(ascii: "?"), uri[end] != UInt8(ascii: "#") { end += 1 }
        let hasQuery = end < uri.count && uri[end] == UInt8(ascii: "?")
        return (start..<end, hasQuery ? end + 1 : uri.count)
    }

    /// The path below the mount point, if it is one of the usual ones that need no work: nothing encoded, no empty or dot
    /// segments, ASCII.
    private static func plainPath(_ path: UnsafeRawBufferPointer, _ mount: MountPoint) -> String? {
        let prefix = mount.path.utf8
        guard path.count > prefix.count, path[prefix.count] == UInt8(ascii: "/"), path.starts(with: prefix) else {
            return nil
        }
        var previous: UInt8 = 0
        for byte in path {
            guard byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "%") else { return nil }
            if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") { return nil }
            previous = byte
        }
        return String(decoding: path[prefix.count...], as: UTF8.self)
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> String {
        var hasEscape = false
        for byte in bytes {
            if byte < 0x20 || byte == 0x7f { throw .malformed("REQUEST_URI holds a control character") }
            hasEscape = hasEscape || byte == UInt8(ascii: "%")
        }
        if !hasEscape {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .malformed("REQUEST_URI is not UTF-8")
            }
            return text
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            var byte = bytes[index]
            if byte == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, let high = HexDigit.value(bytes[index + 1]),
                    let low = HexDigit.value(bytes[index + 2])
                else { throw .malformed("REQUEST_URI has broken percent-encoding") }
                byte = high << 4 | low
                guard byte >= 0x20, byte != 0x7f else { throw .malformed("REQUEST_URI holds a control character") }
                index += 2
            }
            decoded.append(byte)
            index += 1
        }
        guard let text = String(validating: decoded, as: UTF8.self) else {
            throw .malformed("REQUEST_URI is not UTF-8")
        }
        return text
    }

    private static func joined(_ segments: [String], endsWithSlash: Bool) -> String {
        var path = ""
        for segment in segments {
            path += "/"
            if segment.utf8.contains(UInt8(ascii: "/")) {
                for character in segment.unicodeScalars {
                    if character == "/" { path += "%2F" } else { path.unicodeScalars.append(character) }
                }
            } else {
                path += segment
            }
        }
        return endsWithSlash || path.isEmpty ? path + "/" : path
    }
}
