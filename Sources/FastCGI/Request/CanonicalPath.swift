internal import GalletaPlatform

/// The one form of a path on which requests are routed, made in one pass over the bytes that were sent.
///
/// Segments are decoded, except that what could be taken for something else stays encoded:
/// - a slash that was sent as `%2F` stays `%2F`: it never separates;
/// - a backslash, sent as it is or as `%5C`, is `%5C`: what takes it for a slash never sees it;
/// - a percent sign before `2F`, `5C` or `25` is `%25`, so that `%252F` (three characters of text) and `%2F` (a slash)
///   differ. Any other percent sign stands for itself.
///
/// So two paths have the same form only when they mean the same, and ``decoded(_:)`` gives what was meant.
///
/// Web servers disagree about paths that hold an encoded slash or a backslash *and* a dot segment: nginx decodes before it
/// resolves, so `/x%2Fy/../z` is `/x/z` to its locations and `/z` to others. Such a path is refused.
struct CanonicalPath {
    /// Begins with the slash of the first segment; never ends inside an escape.
    private var bytes: [UInt8] = [UInt8(ascii: "/")]
    /// Where the segment that is being written has its slash.
    private var segmentStart = 0
    /// The number of dots since the last separator, hidden ones included; nil once there was something else.
    private var dots: Int? = 0
    /// Where the last percent sign stands that stands for itself.
    private var percentSign: Int?
    /// An encoded slash or a backslash was met.
    private var hasHiddenSeparator = false
    /// `.` or `..` was met between any two separators.
    private var hasDotSegment = false
    /// The last segment that ended was `.` or `..`.
    private(set) var endsWithDotSegment = false

    /// Takes percent-encoded bytes, from behind the first slash.
    mutating func append(encoded path: UnsafeRawBufferPointer) throws(RequestTarget.Failure) {
        bytes.reserveCapacity(path.count + 2)
        var index = 0
        while index < path.count {
            let byte = path[index]
            if byte == UInt8(ascii: "/") {
                try endSegment()
                startSegment()
            } else if byte == UInt8(ascii: "%") {
                guard index + 2 < path.count, let high = HexDigit.value(path[index + 1]),
                    let low = HexDigit.value(path[index + 2])
                else { throw .malformed("has broken percent-encoding") }
                try write(high << 4 | low)
                index += 2
            } else {
                try write(byte)
            }
            index += 1
        }
    }

    /// Takes bytes that were decoded already, from behind the first slash.
    ///
    /// Whoever decoded them has resolved their dot segments; what still looks like one is refused.
    mutating func append(decoded path: UnsafeRawBufferPointer) throws(RequestTarget.Failure) {
        bytes.reserveCapacity(path.count + 2)
        for byte in path {
            if byte == UInt8(ascii: "/") {
                try endSegment()
                startSegment()
            } else {
                try write(byte)
            }
        }
        endPiece()
        if hasDotSegment { throw .malformed("is decoded already and holds a dot segment") }
    }

    /// The finished path, without the mount point in front of it.
    mutating func path(below mount: MountPoint) throws(RequestTarget.Failure) -> ByteString {
        let isEmpty = bytes.count == segmentStart + 1
        try endSegment()
        if hasHiddenSeparator, hasDotSegment {
            throw .malformed("holds an encoded slash or a backslash beside a dot segment")
        }
        if isEmpty || endsWithDotSegment || bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
        let prefix = mount.prefix.count
        guard bytes.withUnsafeBytes(mount.isPrefix), bytes.count == prefix || bytes[prefix] == UInt8(ascii: "/") else {
            throw .outsideMount
        }
        guard bytes.count > prefix else { return "/" }
        guard let text = String(utf8: bytes[prefix...]) else { throw .malformed("is not UTF-8") }
        return ByteString(text)
    }

    /// What a text in this form means, with its slashes and backslashes.
    static func decoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = escaped(bytes[index + 1], bytes[index + 2])
            {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    // MARK: Segments

    private mutating func startSegment() {
        segmentStart = bytes.count
        bytes.append(UInt8(ascii: "/"))
    }

    /// Drops a segment that is empty or a dot segment, and with `..` the one before it.
    private mutating func endSegment() throws(RequestTarget.Failure) {
        let count = bytes.count - segmentStart - 1
        endsWithDotSegment = dots == count && (count == 1 || count == 2)
        if count == 0 || endsWithDotSegment { bytes.removeSubrange(segmentStart...) }
        if count == 2, endsWithDotSegment {
            // Slashes inside segments are escaped: the last one is the previous segment's.
            guard let previous = bytes.lastIndex(of: UInt8(ascii: "/")) else {
                throw .malformed("climbs above the root")
            }
            bytes.removeSubrange(previous...)
        }
        endPiece()
        percentSign = nil
    }

    private mutating func endPiece() {
        if dots == 1 || dots == 2 { hasDotSegment = true }
        dots = 0
    }

    // MARK: Bytes

    private mutating func write(_ byte: UInt8) throws(RequestTarget.Failure) {
        switch byte {
        case 0..<0x20, 0x7f:
            throw .malformed("holds a control character")
        case UInt8(ascii: "/"), UInt8(ascii: "\\"):
            endPiece()
            hasHiddenSeparator = true
            bytes.append(contentsOf: byte == UInt8(ascii: "/") ? "%2F".utf8 : "%5C".utf8)
            percentSign = nil
        case UInt8(ascii: "."):
            dots = dots.map { $0 + 1 }
            bytes.append(byte)
        default:
            dots = nil
            if byte == UInt8(ascii: "%") { percentSign = bytes.count }
            bytes.append(byte)
            if let percentSign, bytes.count == percentSign + 3 { protect(percentSign) }
        }
    }

    /// Encodes a percent sign that what follows would make an escape.
    private mutating func protect(_ percentSign: Int) {
        guard Self.escaped(bytes[percentSign + 1], bytes[percentSign + 2]) != nil else { return }
        bytes.insert(contentsOf: [UInt8(ascii: "2"), UInt8(ascii: "5")], at: percentSign + 1)
        self.percentSign = nil
    }

    /// The byte that an escape of this form stands for.
    private static func escaped(_ high: UInt8, _ low: UInt8) -> UInt8? {
        switch (high, low) {
        case (UInt8(ascii: "2"), UInt8(ascii: "F")), (UInt8(ascii: "2"), UInt8(ascii: "f")): UInt8(ascii: "/")
        case (UInt8(ascii: "5"), UInt8(ascii: "C")), (UInt8(ascii: "5"), UInt8(ascii: "c")): UInt8(ascii: "\\")
        case (UInt8(ascii: "2"), UInt8(ascii: "5")): UInt8(ascii: "%")
        default: nil
        }
    }
}
