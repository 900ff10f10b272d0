internal import Glibc

/// How much of a form is accepted.
///
/// The whole body is bounded by ``Server/Configuration/maxBodyBytes``; these limits bound what of it is held in memory:
/// at most ``maxFieldBytes`` and ``maxFiles`` times ``fileMemoryThreshold`` a form, and 80 KiB of buffers.
public struct FormLimits: Sendable {
    /// Most fields, repeated names counted each time. Default 1,000.
    public var maxFields = 1000
    /// Most bytes of all fields together, names and values; of `application/x-www-form-urlencoded` as they were sent.
    /// Default 1 MiB.
    public var maxFieldBytes = 1 << 20
    /// Most files; a file input that was left empty does not count. Default 20.
    public var maxFiles = 20
    /// Largest file in bytes that is held in memory; larger ones go to ``temporaryDirectory``. Default 256 KiB.
    public var fileMemoryThreshold = 256 << 10
    /// Directory for larger files. Default: `TMPDIR` of the environment, else `/tmp`.
    ///
    /// The files have no name there and mode 0600: nothing is left behind however the process ends. On the file system
    /// of the files' destination, ``UploadedFile/move(to:permissions:)`` copies nothing.
    public var temporaryDirectory: String

    /// The defaults.
    public init() {
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        temporaryDirectory = directory.isEmpty ? "/tmp" : directory
    }

    /// Refuses limits that no form could be parsed with.
    func validate() throws(ConfigurationError) {
        for (value, field) in [
            (maxFields, "maxFields"), (maxFieldBytes, "maxFieldBytes"), (maxFiles, "maxFiles"),
            (fileMemoryThreshold, "fileMemoryThreshold"),
        ] where value < 0 {
            throw ConfigurationError(
                field: "formLimits.\(field)", reason: "\(value) is negative", remedy: "give 0 or more")
        }
        guard access(temporaryDirectory, W_OK | X_OK) == 0 else {
            throw ConfigurationError(
                field: "formLimits.temporaryDirectory",
                reason: "\(temporaryDirectory) cannot be written to: \(String(cString: strerror(errno)))",
                remedy: "set TMPDIR to a directory that the server may write to"
            )
        }
    }
}
