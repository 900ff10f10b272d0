/// A session that is about to begin.
public struct SessionDraft: Sendable {
    /// The first values.
    public var values: SessionValues
    /// How long the session lives without a visit; positive.
    public var idleTimeout: Duration
    /// How long the session lives whatever happens; positive.
    public var absoluteTimeout: Duration

    /// A draft of these values and timeouts.
    public init(values: SessionValues, idleTimeout: Duration, absoluteTimeout: Duration) {
        self.values = values
        self.idleTimeout = idleTimeout
        self.absoluteTimeout = absoluteTimeout
    }
}

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
