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
