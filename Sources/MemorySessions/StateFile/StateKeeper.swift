package import Dispatch
internal import GalletaPlatform
internal import Glibc
package import Logging
internal import Sessions
internal import Synchronization

/// Keeps a store's state file and its journal: restores from them, writes the state file at intervals and once at the end.
///
/// All that touches the file runs before `init` returns or on the queue of the background work, so never twice at once.
package final class StateKeeper: @unchecked Sendable {
    // Safe: `lock` and `isRetryDue` are only used in `init` and on `queue`, the rest is immutable or thread-safe by itself.
    let store: any StateContent
    let file: MemoryProvider.StateFile
    let logger: Logger
    let queue: DispatchQueue
    private let timer: any DispatchSourceTimer
    let throttle = LogThrottle()
    private let isClosing = Atomic<Bool>(false)
    private let failures = Atomic<Int>(0)
    /// When the last one was on the disk, in nanoseconds; 0 before.
    private let savedAt = Atomic<Int64>(0)
    /// How long it took, in nanoseconds.
    private let lastDuration = Atomic<Int64>(0)
    private var lock: StateLock?
    /// A snapshot is to begin a new journal, in a moment.
    var isRetryDue = false

    /// The time between two tries to begin a new journal.
    static let retryPause = Duration.seconds(5)

    var journal: StateJournal? { store.stateJournal }

    /// Restores what the file holds, and begins to write it.
    ///
    /// - Throws: `ConfigurationError` when another process has the file, or when it can never be
    ///   written.
    package init(
        of store: any StateContent, file: MemoryProvider.StateFile, logger: Logger, queue: DispatchQueue
    ) throws {
        self.store = store
        self.file = file
        self.logger = logger
        self.queue = queue
        timer = DispatchSource.makeTimerSource(queue: queue)
        // At once, as Dispatch traps when a source that was never active is released, and complains of one without a handler.
        timer.setEventHandler {}
        timer.activate()
        lock = try file.claim()
        let restored = try restore()
        try probe()
        if let journal {
            do throws(StateFailure) {
                // Not kept by its thread, which ends when this object does.
                try journal.start { [weak self] in self?.take($0) }
            } catch {
                throw error.refusal(of: file.path)
            }
            do throws(ConfigurationError) {
                try beginJournal(journal, on: restored)
            } catch {
                journal.stop()
                throw error
            }
        }
        timer.setEventHandler { [weak self] in
            _ = self?.write(isLast: false)
        }
        let interval = DispatchTimeInterval.nanoseconds(Int(file.interval.nanoseconds))
        timer.schedule(deadline: .now() + interval, repeating: interval, leeway: .milliseconds(100))
    }

    deinit {
        timer.cancel()
        journal?.stop()
    }

    /// Writes the last snapshot and lets go of the file. Later calls do nothing.
    package func close() {
        guard isClosing.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else { return }
        timer.cancel()
        queue.sync {
            _ = write(isLast: true)
            journal?.close(after: nil)
            lock = nil
        }
    }

    /// Lets go of the file without a last snapshot, as a crash does.
    package func abandon() {
        isClosing.store(true, ordering: .relaxed)
        timer.cancel()
        queue.sync {
            journal?.close(after: nil)
            lock = nil
        }
    }

    /// Writes a snapshot now, on the queue.
    ///
    /// - Returns: The number of sessions in it; nil when it failed.
    package func writeNow() -> Int? {
        queue.sync { write(isLast: false) }
    }

    /// Snapshots that failed.
    package var failureCount: Int { failures.load(ordering: .relaxed) }

    /// Since the last snapshot, and how long that took; nil before.
    package var figures: (age: Duration, duration: Duration)? {
        let saved = savedAt.load(ordering: .relaxed)
        guard saved != 0 else { return nil }
        return (
            BootInstant(nanoseconds: saved).duration(to: .now),
            .nanoseconds(lastDuration.load(ordering: .relaxed))
        )
    }

    func write(isLast: Bool) -> Int? {
        guard isLast || !isClosing.load(ordering: .relaxed) else { return nil }
        let begin = BootInstant.now
        let sequence = journal?.beginSnapshot() ?? 0
        var isBased = false
        defer { if !isBased { journal?.endSnapshot() } }
        do throws(StateFailure) {
            let output = try StateOutput(file.path, on: file.disk)
            var header = SnapshotHeader(store.stateKind, time: store.stateTime, mark: .random(in: 1 ... .max))
            if let journal {
                header.journal = JournalHeader.journal(of: journal.mark)
                header.sequence = sequence
                if !isLast { header.version = SnapshotHeader.currentVersion }
            }
            let summary = try store.write(header, while: { isLast || !isClosing.load(ordering: .relaxed) }) {
                bytes throws(StateFailure) in
                try output.write(bytes)
            }
            guard let summary else { return nil }
            try output.finish()
            let end = BootInstant.now
            lastDuration.store(begin.duration(to: end).nanoseconds, ordering: .relaxed)
            savedAt.store(end.nanoseconds, ordering: .relaxed)
            if summary.oversized > 0 {
                logger.warning("\(store.stateName) too large for the state file, not saved: \(summary.oversized)")
            }
            logger.log(
                level: isLast ? .info : .debug,
                "saved \(summary.sessions) \(store.stateName) (\(output.byteCount) bytes) to \(file.path)")
            isBased = true
            if isLast { journal?.close(after: sequence) } else { rebase(onto: header.mark, after: sequence) }
            return summary.sessions
        } catch {
            failures.add(1, ordering: .relaxed)
            report(error)
            return nil
        }
    }

    /// Begins a file: what is refused for good stops the start, what time may mend is reported.
    private func probe() throws(ConfigurationError) {
        do throws(StateFailure) {
            _ = try StateOutput(file.path)
        } catch {
            guard error.isPassing else { throw error.refusal(of: file.path) }
            report(error)
        }
    }

    private func report(_ failure: StateFailure) {
        guard let suppressed = throttle.pass(failure.operation) else { return }
        let more = suppressed > 0 ? " (and \(suppressed) times before)" : ""
        logger.error(
            "\(store.stateName) are not saved: \(failure.text)\(more); \(failure.remedy); next try in \(file.interval)")
    }
}
