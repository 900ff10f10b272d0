internal import GalletaPlatform

/// How many threads wait for each session. A slow page of PHP has its session for all of its run, and its visitor's further requests
/// must not take all threads.
///
/// Threading: any thread.
final class SessionWaiters: Sendable {
    private let limit: Int
    private let counts = Locked<[PHPSessionID: Int]>([:])

    /// - Parameter limit: The most for one session.
    init(limit: Int) {
        self.limit = limit
    }

    /// False when as many wait already as may.
    func enter(_ id: PHPSessionID) -> Bool {
        counts.withLock { counts in
            let count = counts[id] ?? 0
            guard count < limit else { return false }
            counts[id] = count + 1
            return true
        }
    }

    func leave(_ id: PHPSessionID) {
        counts.withLock { counts in
            let count = (counts[id] ?? 1) - 1
            counts[id] = count == 0 ? nil : count
        }
    }

    func count(of id: PHPSessionID) -> Int { counts.withLock { $0[id] ?? 0 } }
}
