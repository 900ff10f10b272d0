/// The path under which a web server passes requests on, such as `/app`; the root is the empty string.
public struct MountPoint: Sendable, Equatable {
    /// The prefix of every link: `/app`, or the empty string for the root.
    public let path: String
    let segments: [String]

    /// - Parameter path: An absolute path without query, `/` for the root. A slash at its end is ignored.
    /// - Throws: ``ConfigurationError`` if it does not start with `/`, or holds `..`, `?`, `#`, `%` or a control
    ///   character.
    public init(_ path: String) throws(ConfigurationError) {
        let forbidden = path.unicodeScalars.contains {
            $0.value < 0x21 || $0.value == 0x7f || "?#%\\".unicodeScalars.contains($0)
        }
        let segments = path.split(separator: "/").map(String.init)
        guard path.isEmpty || path.hasPrefix("/"), !forbidden, !segments.contains(".."), !segments.contains(".") else {
            throw ConfigurationError(
                field: "mount",
                reason: "\"\(path)\" is not a mount point",
                remedy: "give an absolute path such as /app, or / for the root"
            )
        }
        self.segments = segments
        self.path = segments.map { "/" + $0 }.joined()
    }

    /// The root: every path belongs to the application.
    public static let root = try! MountPoint("/")
}
