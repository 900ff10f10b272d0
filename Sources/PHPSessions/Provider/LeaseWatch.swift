internal import Dispatch
internal import GalletaPlatform

/// Ends leases whose requests take too long: a handler that hangs must not keep its visitor's pages of PHP waiting for ever.
///
/// Threading: any thread.
final class LeaseWatch: Sendable {
    private struct Entry {
        weak var lease: PHPLease?
        let end: BootInstant
    }

    private struct State {
        var entries: [Entry] = []
        var isScheduled = false
    }

    private static let interval = DispatchTimeInterval.milliseconds(500)

    private let limit: Duration
    private let state = Locked(State())

    /// - Parameter limit: How long a lease lasts at most, and half a second.
    init(limit: Duration) {
        self.limit = limit
    }

    func watch(_ lease: PHPLease) {
        let entry = Entry(lease: lease, end: .now.advanced(by: limit))
        let isFirst = state.withLock { state in
            state.entries.append(entry)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { schedule() }
    }

    private func schedule() {
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + Self.interval) { [weak self] in
            self?.look()
        }
    }

    private func look() {
        let now = BootInstant.now
        let (late, goesOn) = state.withLock { state -> ([PHPLease], Bool) in
            let late = state.entries.filter { $0.end <= now }.compactMap(\.lease)
            state.entries.removeAll { $0.end <= now || $0.lease == nil }
            state.isScheduled = !state.entries.isEmpty
            return (late, state.isScheduled)
        }
        for lease in late { lease.end() }
        if goesOn { schedule() }
    }
}
