internal import Synchronization

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

/// The counters behind `SessionMetrics`. Relaxed: each is exact, together they are a moment's blur.
final class SessionCounters: Sendable {
    private let created = Atomic<Int>(0)
    private let rotated = Atomic<Int>(0)
    private let destroyed = Atomic<Int>(0)
    private let lost = Atomic<Int>(0)
    private let undecodable = Atomic<Int>(0)
    private let reusedIDs = Atomic<Int>(0)
    private let secondSessions = Atomic<Int>(0)
    private let refusedByNetwork = Atomic<Int>(0)
    private let revoked = Atomic<Int>(0)
    private let storeFailures = Atomic<Int>(0)

    func count(_ event: SessionEvent) {
        switch event {
        case .created: created.add(1, ordering: .relaxed)
        case .rotated: rotated.add(1, ordering: .relaxed)
        case .destroyed: destroyed.add(1, ordering: .relaxed)
        case .lost: lost.add(1, ordering: .relaxed)
        case .undecodable: undecodable.add(1, ordering: .relaxed)
        case .idReused: reusedIDs.add(1, ordering: .relaxed)
        case .secondSession: secondSessions.add(1, ordering: .relaxed)
        case .newSessionRefused: refusedByNetwork.add(1, ordering: .relaxed)
        case .revoked: revoked.add(1, ordering: .relaxed)
        case .storeFailed: storeFailures.add(1, ordering: .relaxed)
        }
    }

    var metrics: SessionMetrics {
        var metrics = SessionMetrics()
        metrics.created = created.load(ordering: .relaxed)
        metrics.rotated = rotated.load(ordering: .relaxed)
        metrics.destroyed = destroyed.load(ordering: .relaxed)
        metrics.lost = lost.load(ordering: .relaxed)
        metrics.undecodable = undecodable.load(ordering: .relaxed)
        metrics.reusedIDs = reusedIDs.load(ordering: .relaxed)
        metrics.secondSessions = secondSessions.load(ordering: .relaxed)
        metrics.refusedByNetwork = refusedByNetwork.load(ordering: .relaxed)
        metrics.revoked = revoked.load(ordering: .relaxed)
        metrics.storeFailures = storeFailures.load(ordering: .relaxed)
        return metrics
    }
}
