internal import Synchronization

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
