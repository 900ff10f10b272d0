/// How long a session lives.
public struct SessionLifetime: Hashable, Sendable {
    /// Without a visit that uses it; positive.
    public var idleTimeout: Duration
    /// Whatever happens, counted from its beginning; positive.
    public var absoluteTimeout: Duration

    /// A lifetime of these two.
    public init(idleTimeout: Duration, absoluteTimeout: Duration) {
        self.idleTimeout = idleTimeout
        self.absoluteTimeout = absoluteTimeout
    }
}
