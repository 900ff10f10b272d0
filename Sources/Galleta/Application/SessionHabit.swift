internal import Synchronization

/// Whether a route's requests use their sessions, learnt from those before.
///
/// Threading: any thread. Of notes at the same time one may be lost: it is a guess.
final class SessionHabit: Sendable {
    /// How many requests that use none a guess outlives.
    private static let patience = 16

    /// -1: nothing is known yet.
    private let left = Atomic<Int>(-1)

    /// - Parameter unknown: The guess for a route that nobody has asked for yet.
    func usesSession(unknown: Bool) -> Bool {
        let left = left.load(ordering: .relaxed)
        return left > 0 || (left < 0 && unknown)
    }

    func note(_ isUsed: Bool) {
        let now = left.load(ordering: .relaxed)
        let next = isUsed ? Self.patience : max(0, now - 1)
        if next != now { left.store(next, ordering: .relaxed) }
    }
}
