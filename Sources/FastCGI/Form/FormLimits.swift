/// What a form may hold. The size of the whole body is limited by ``Server/Configuration/maxBodyBytes``.
public struct FormLimits: Sendable {
    /// Most fields that are no files. Default 1,000.
    public var maxFields = 1000
    /// Largest field in bytes. Default 1 MiB.
    public var maxFieldBytes = 1 << 20
    /// Most files. Default 20.
    public var maxFiles = 20
    /// Files up to this many bytes stay in memory, larger ones go to disk. Default 256 KiB.
    public var memoryThreshold = 256 << 10
    /// Where larger files go, as files without a name. Default: TMPDIR, else /tmp.
    public var temporaryFolder: String?

    /// The defaults.
    public init() {}
}
