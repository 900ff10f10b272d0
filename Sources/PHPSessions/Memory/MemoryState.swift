internal import Dispatch
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import MemorySessions

/// Keeps the state file of a store in memory: restores from it, writes it at intervals and once at the end.
///
/// All that touches the file runs before `init` returns or on the queue, so never twice at once.
final class MemoryState: @unchecked Sendable {
    // Safe: `lock` is only used in `init` and on `queue`; the timer is thread-safe by Dispatch's own contract.
    /// Sessions that are copied under the store's lock at a time.
    private static let slice = 64

    private let store: MemoryStore
    private let file: MemoryProvider.StateFile
    private let logger: Logger
    private let queue = DispatchQueue(label: "galleta.sessions.php.state", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let throttle = LogThrottle()
    private let written = Locked(Figures())
    private var lock: StateLock?

    /// How writing goes.
    struct Figures: Sendable {
        /// When the last one was on the disk, and how long that took; nil before.
        var last: (at: BootInstant, duration: Duration)?
        var failures = 0
    }

    var figures: Figures { written.withLock { $0 } }

    /// Restores what the file holds, and begins to write it.
    ///
    /// - Throws: `ConfigurationError` when another process has the file, or when it can never be written.
    init(store: MemoryStore, file: MemoryProvider.StateFile, logger: Logger) throws {
        self.store = store
        self.file = file
        self.logger = logger
        timer = DispatchSource.makeTimerSource(queue: queue)
        // At once, as Dispatch traps when a source that was never active is released, and complains of one without a handler.
        timer.setEventHandler {}
        timer.activate()
        try file.check()
        lock = try file.claim()
        try restore()
        timer.setEventHandler { [weak self] in _ = self?.write() }
        let interval = DispatchTimeInterval.nanoseconds(Int(file.interval.nanoseconds))
        timer.schedule(deadline: .now() + interval, repeating: interval, leeway: .milliseconds(100))
    }

    deinit {
        timer.cancel()
    }

    /// Whether a file could be used now; leaves nothing behind.
    static func checkAccess(_ file: MemoryProvider.StateFile) throws(ConfigurationError) {
        try file.checkClaim()
        // There is none before the first start.
        guard let input = try file.open(file.path) else { return }
        guard MemorySnapshot.read(input.read(into:), visit: { _ in }) != .foreign else { throw foreign(file.path) }
    }

    /// Writes the file now. Gives the number of sessions in it; nil when it failed.
    func writeNow() -> Int? { queue.sync { write() } }

    /// Writes the file a last time and lets go of it. Later calls do nothing.
    func close() {
        timer.cancel()
        queue.sync {
            guard lock != nil else { return }
            if let count = write() { logger.info("saved \(count) sessions of PHP to \(file.path)") }
            lock = nil
        }
    }

    /// Lets go of the file as it is, as a crash does.
    func abandon() {
        timer.cancel()
        queue.sync { lock = nil }
    }

    // MARK: Reading

    private static func foreign(_ path: String) -> ConfigurationError {
        ConfigurationError(
            field: "state", reason: "\(path) is no state file of PHP's sessions, or of another version",
            remedy: "give a path of its own, or move the file away to begin without its sessions")
    }

    /// What is not a state file of this kind is somebody's: it is not to be overwritten.
    private func restore() throws(ConfigurationError) {
        guard let input = try file.open(file.path) else { return }
        let now = store.now
        var refused = 0
        let outcome = MemorySnapshot.read(input.read(into:)) { record in
            store.state.withLock { state in
                switch record {
                case .session(let session):
                    if session.deadline <= now {
                        _ = state.table.remove(session.digest, at: now)
                    } else if !state.table.restore(session, at: now) {
                        refused += 1
                    }
                case .removal(let digest): _ = state.table.remove(digest, at: now)
                case .end: break
                }
            }
        }
        let count = store.state.withLock { $0.table.count }
        switch outcome {
        case .foreign: throw Self.foreign(file.path)
        case .whole:
            logger.info("restored \(count) sessions of PHP from \(file.path); without room \(refused)")
        case .damaged:
            let kept = StateInput.keepAside(file.path, as: ".damaged").map { "; kept as \($0)" } ?? ""
            logger.error("\(file.path) is damaged: \(count) sessions of PHP before that place are restored\(kept)")
        }
    }

    // MARK: Writing

    private func write() -> Int? {
        guard lock != nil else { return nil }
        let begin = BootInstant.now
        do throws(StateFailure) {
            let output = try StateOutput(file.path)
            let count = try write(to: output)
            try output.finish()
            let end = BootInstant.now
            written.withLock { $0.last = (end, begin.duration(to: end)) }
            return count
        } catch {
            written.withLock { $0.failures += 1 }
            if let suppressed = throttle.pass("state") {
                logger.error(
                    "sessions of PHP are not saved: \(error.text); \(error.remedy); next try in \(file.interval)",
                    metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
            }
            return nil
        }
    }

    /// All sessions slice by slice, and then those that have changed meanwhile: one that got another id behind the place that was
    /// looked at would else be missing.
    private func write(to output: StateOutput) throws(StateFailure) -> Int {
        try output.write(MemorySnapshot.head)
        var written: UInt64 = 0
        func put(_ records: [MemorySnapshot.Record]) throws(StateFailure) {
            var bytes: [UInt8] = []
            for record in records { bytes += MemorySnapshot.encoded(record) }
            try output.write(bytes)
            written += UInt64(records.count)
        }
        store.state.withLock { $0.table.changes = [] }
        defer { store.state.withLock { $0.table.changes = nil } }
        var place = 0
        while place < store.state.withLock({ $0.table.slotCount }) {
            let part = place..<(place + Self.slice)
            try put(store.state.withLock { $0.table.sessions(inSlots: part) }.map { .session($0) })
            place = part.upperBound
        }
        let now = store.now
        // However many there are all the time: more and more of them at a time, so that it comes to an end.
        var size = Self.slice
        while true {
            // The last few at one moment with the end.
            let (changed, isLast) = store.state.withLock { state -> ([MemorySnapshot.Record], Bool) in
                let all = state.table.changes ?? []
                let part = all.prefix(size)
                state.table.changes?.subtract(part)
                return (
                    part.map { digest in
                        state.table.find(digest, at: now).map { .session($0) } ?? .removal(digest)
                    }, all.count == part.count
                )
            }
            try put(changed)
            if isLast { break }
            size *= 2
        }
        try output.write(MemorySnapshot.encoded(.end(count: written)))
        return store.state.withLock { $0.table.count }
    }
}
