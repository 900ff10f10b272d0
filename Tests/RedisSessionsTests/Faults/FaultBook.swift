import GalletaPlatform
import RedisSessions
import Sessions

/// What visitors were told, how long it took, and what was wrong with it. Thread-safe.
final class FaultBook: Sendable {
    /// What the visitors have met.
    struct Figures {
        /// How long each call of the provider took, in nanoseconds.
        var calls: [Int64] = []
        /// Calls that failed: when they began, and why.
        var failures: [(start: BootInstant, reason: String)] = []
        /// Changes that were acknowledged.
        var acknowledged = 0
        /// Of these, what Redis has lost: counted where it may lose something, else a complaint.
        var lost = 0
        var complaints: [String] = []
        /// The first visit of each visitor that began after the mark and succeeded, when it was over.
        fileprivate var successes: [Int: BootInstant] = [:]
        fileprivate var mark = BootInstant(nanoseconds: 0)
        fileprivate var mayLose = false
        fileprivate var losses = 0
        fileprivate var ids: [SessionID] = []
        fileprivate var ended: Set<SessionID> = []
    }

    private let state = Locked(Figures())

    var figures: Figures { state.withLock { $0 } }

    // MARK: Calls

    func called(_ start: BootInstant, _ error: (any Error)?) {
        let end = BootInstant.now
        state.withLock { state in
            state.calls.append(start.duration(to: end).nanoseconds)
            if let error { state.failures.append((start, "\(error)")) }
        }
    }

    func succeeded(_ visitor: Int, since start: BootInstant) {
        let end = BootInstant.now
        state.withLock { state in
            if start >= state.mark, state.successes[visitor] == nil { state.successes[visitor] = end }
        }
    }

    /// From now on the first success of each visitor is looked for.
    func setMark() -> BootInstant {
        let now = BootInstant.now
        state.withLock { state in
            state.mark = now
            state.successes = [:]
        }
        return now
    }

    /// When the last of so many visitors succeeded for the first time since the mark; nil if one has not.
    func allSucceeded(_ count: Int) -> BootInstant? {
        state.withLock { $0.successes.count == count ? $0.successes.values.max() : nil }
    }

    // MARK: Answers

    func acknowledged(_ count: Int = 1) {
        state.withLock { $0.acknowledged += count }
    }

    /// Something is not as it was acknowledged.
    ///
    /// - Parameter isLoss: Whether a failover may do it.
    func wrong(_ text: String, isLoss: Bool = false) {
        state.withLock { state in
            if isLoss, state.mayLose { state.lost += 1 } else { state.complaints.append(text) }
        }
    }

    func lost(_ count: Int) {
        state.withLock { $0.lost += count }
    }

    /// How often Redis has lost something, as far as that is over: then what is there counts, and no more.
    var losses: Int { state.withLock { $0.losses } }

    /// A loss is over.
    func endLoss() {
        state.withLock { state in
            state.losses += state.mayLose ? 1 : 0
            state.mayLose = false
        }
    }

    /// Whether what was acknowledged may be lost now, as in a failover.
    var mayLose: Bool {
        get { state.withLock { $0.mayLose } }
        set { state.withLock { $0.mayLose = newValue } }
    }

    // MARK: Ids

    /// An id that was in use: no dump may have it.
    func used(_ id: SessionID) {
        state.withLock { $0.ids.append(id) }
    }

    /// Ids whose session was ended, and that was acknowledged.
    func ended(_ ids: [SessionID]) {
        state.withLock { $0.ended.formUnion(ids) }
    }

    /// What a failover has brought back.
    func returned(_ id: SessionID) {
        state.withLock { state in
            state.ended.remove(id)
            state.lost += 1
        }
    }

    /// Some that have been in use, the last ones among them.
    var usedIDs: [SessionID] { state.withLock { Array($0.ids.suffix(300)) } }

    var endedIDs: [SessionID] { state.withLock { Array($0.ended) } }

    var anEndedID: SessionID? { state.withLock { $0.ended.randomElement() } }
}

extension SessionStoreError {
    /// Whether what failed may have been done.
    var isOutcomeUnknown: Bool { (underlying as? RedisError)?.isOutcomeUnknown ?? (reason != .full) }
}
