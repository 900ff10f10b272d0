/// A path cut at its slashes, once for all routes that are tried on it, and no further than they look.
struct SplitPath {
    /// A path in the form of `Request.path`: no empty segments.
    let bytes: UnsafeRawBufferPointer
    /// Where the first segments stand.
    let segments: [Range<Int>]
    /// There are no segments but these, and no doubt about the end.
    let isWhole: Bool
    /// The path is longer than `/` and ends with one.
    let endsWithSlash: Bool

    /// - Parameters:
    ///   - limit: The number of segments to look for.
    ///   - isWhole: False if only a route that takes the rest of the path may match.
    init(_ bytes: UnsafeRawBufferPointer, limit: Int, isWhole: Bool) {
        var segments: [Range<Int>] = []
        segments.reserveCapacity(min(limit, 16))
        var start = 1
        while start < bytes.count, segments.count < limit {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
            segments.append(start..<end)
            start = end + 1
        }
        self.bytes = bytes
        self.segments = segments
        self.isWhole = isWhole && start >= bytes.count
        endsWithSlash = bytes.count > 1 && bytes.last == UInt8(ascii: "/")
    }

    /// All after the first `count` segments, without a slash at its end.
    func rest(after count: Int) -> Range<Int> {
        let start = count == 0 ? 1 : min(segments[count - 1].upperBound + 1, bytes.count)
        return start..<max(start, endsWithSlash ? bytes.count - 1 : bytes.count)
    }
}
