/// The path under which a web server passes requests on, such as `/app`; the root is the empty string.
///
/// Compared byte by byte, as paths are.
public struct MountPoint: Sendable, Equatable {
    let prefix: ByteString

    /// The prefix of every link: `/app`, or the empty string for the root.
    public var path: String { prefix.string }

    /// - Parameter path: An absolute path without query, decoded; `/` for the root. A slash at its end is ignored.
    /// - Throws: `ConfigurationError` if it does not start with `/`, or holds `.` or `..` as a segment, `?`, `#`, `%`,
    ///   `\`, a blank or a control character.
    public init(_ path: String) throws(ConfigurationError) {
        let forbidden = path.utf8.contains { $0 <= 0x20 || $0 == 0x7f || "?#%\\".utf8.contains($0) }
        let segments = path.utf8.split(separator: UInt8(ascii: "/")).map { ByteString(Substring($0)) }
        guard path.isEmpty || path.utf8.first == UInt8(ascii: "/"), !forbidden, !segments.contains(".."),
            !segments.contains(".")
        else {
            throw ConfigurationError(
                field: "mount",
                reason: "\"\(path)\" is not a mount point",
                remedy: "give an absolute path such as /app, or / for the root"
            )
        }
        prefix = ByteString(segments.map { "/\($0)" }.joined())
    }

    /// The root: every path belongs to the application.
    public static let root = try! MountPoint("/")

    /// Whether these bytes begin with the mount point's; what follows may still belong to its last segment.
    func isPrefix(of path: UnsafeRawBufferPointer) -> Bool {
        prefix.withUnsafeBytes { path.starts(with: $0) }
    }
}
