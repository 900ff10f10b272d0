/// What a manager has counted since it was made, for a monitor.
public struct SessionMetrics: Hashable, Sendable {
    /// Sessions that began.
    public var created = 0
    /// Sessions that got a new id, log-ins of visitors with a session included.
    public var rotated = 0
    /// Sessions that were ended: by log-out, by a log-in as another user, from a list.
    public var destroyed = 0
    /// Requests whose session vanished while they worked on it.
    public var lost = 0
    /// Values that did not decode as the type asked for.
    public var undecodable = 0
    /// Uses of an id that a rotation had replaced, after its grace.
    public var reusedIDs = 0
    /// Requests that offered two live sessions.
    public var secondSessions = 0
    /// New sessions refused to networks that had begun their share.
    public var refusedByNetwork = 0
    /// Sessions that ended with their users' credentials.
    public var revoked = 0
    /// Calls that the store failed.
    public var storeFailures = 0
    /// What the store counts itself; nil when it fails.
    public var store: SessionStoreStatistics?
    /// How long sessions live, and how many a user may have, as it came of the configuration and the provider's own
    /// defaults: values by the fields' names.
    public var settings: [String: String] = [:]

    /// Nothing counted.
    public init() {}
}
