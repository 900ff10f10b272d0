internal import Synchronization

/// Whether a route's requests use their sessions, learnt from those before.
///
/// Threading: any thread. Of notes at the same time one may be lost: it is a guess.
final class SessionHabit: Sendable {
    /// How many requests that use none a guess outlives.
    private static let patience = 16

    private let left = Atomic<Int>(0)

    var usesSession: Bool { left.load(ordering: .relaxed) > 0 }

    func note(_ isUsed: Bool) {
        let now = left.load(ordering: .relaxed)
        let next = isUsed ? Self.patience : max(0, now - 1)
        if next != now { left.store(next, ordering: .relaxed) }
    }
}
