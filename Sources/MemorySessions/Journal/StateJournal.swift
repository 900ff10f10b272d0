internal import GalletaPlatform
internal import Sessions

/// The journal beside a state file: log-ins, log-outs and rotations since the last snapshot, each on the disk before the
/// answer that tells of it.
///
/// **Order.** A change is made in memory, and appended here under the lock under which it was made, so that the changes of
/// a session are here in the order in which they were made. A thread writes what has been appended meanwhile, with one
/// write and one fdatasync for all, and resumes who waits for it.
///
/// **Sequences and snapshots.** Each change of a process has a number, its sequence, from 1 on. A snapshot notes the last
/// one before it begins to look at the store (`beginSnapshot`), so it has all up to that one, and some later ones perhaps.
/// When the state file is in its place, a new journal takes that of the old one (`rebase`): it begins with the records
/// after that sequence. Both files are put in their places by a rename, and each says what belongs to it: the state file
/// the journals that were written at the time (`SnapshotHeader.journal`) and the sequence up to which it has their
/// changes, the journal the state file on top of which it was begun (`JournalHeader.base`). A start that finds
/// - the journal of the state file before, as a crash between the two renames leaves it: skips what the state file has;
/// - a journal begun on this state file: takes all of it;
/// - any other: takes none of it, but that of a state file that cannot be read, as it is all that is left.
///
/// So there is no moment at which a crash leaves two files that do not fit. A record says how a session is from then on,
/// so one that the snapshot has as well changes nothing: the last one about an id counts. A start that has taken records
/// takes a snapshot, and never appends to a file that it has found. Ids that a rotation replaced are in no snapshot: one in
/// its grace leads on over a crash only until the next.
///
/// **Failures.** After a write or a sync that failed nothing is known of the file's end: it is let go of, and what is
/// appended fails, until a snapshot has begun a new one. What had failed is in that snapshot.
///
/// Threading: any thread. `append` is called under stores' locks; no lock is taken under this one's.
package final class StateJournal: @unchecked Sendable {
    // Safe: `output` and `tail` are used only by who has set `isBusy`, or with the lock while nobody has; the rest is
    // immutable, or thread-safe by itself.

    /// What the outside is told of, on the journal's thread.
    enum Event {
        case failed(StateFailure)
        /// The file has grown so that a snapshot should be taken before its time.
        case grown
    }

    /// What is known of a change.
    enum Verdict {
        case pending, settled, failed
    }

    private struct Waiter {
        let end: UInt64
        let resume: @Sendable (Bool) -> Void
    }

    private struct State {
        var queue: [any JournalChange] = []
        /// The sequence of the last change.
        var appended: UInt64 = 0
        /// The last one of which it is known whether it is on the disk.
        var decided: UInt64 = 0
        var failed = FailedSequences()
        var failureCount = 0
        var waiters: [Waiter] = []
        /// Records of later changes than this one are kept for the next file, while a snapshot is taken.
        var tailStart: UInt64?
        /// Whether what is appended fails, as far as is known.
        var isFailing = false
        /// Whether somebody works on the file.
        var isBusy = false
        var isClosed = false

        mutating func fail(_ range: ClosedRange<UInt64>) {
            failed.insert(range)
            failureCount += range.count
        }

        /// Who has waited for what is decided now, and what they are to be told.
        mutating func takeDecided() -> [(Waiter, isSettled: Bool)] {
            let due = waiters.filter { $0.end <= decided }
            if due.count == waiters.count { waiters = [] } else { waiters.removeAll { $0.end <= decided } }
            return due.map { ($0, isSettled: !failed.contains($0.end)) }
        }

        func verdict(on end: UInt64) -> Verdict {
            guard end <= decided else { return .pending }
            return failed.contains(end) ? .failed : .settled
        }
    }

    /// What is written at once.
    private struct Batch {
        let changes: [any JournalChange]
        let first: UInt64
        let tailStart: UInt64?

        var last: UInt64 { first + UInt64(changes.count) - 1 }
    }

    /// A journal of more bytes asks for a snapshot.
    static let sizeLimit = 64 << 20

    /// Stands before each record, and names this process's journals.
    let mark = UInt64.random(in: 1 << 32 ... .max)
    private let kind: SnapshotHeader.Kind
    private let path: String
    private let disk: any StateDisk
    private let state = Monitor(State())
    private var output: JournalOutput?
    private var tail: [UInt8] = []
    /// Beyond so many bytes `grown` is told of this file.
    private var nextSize = StateJournal.sizeLimit

    /// - Parameters:
    ///   - kind: Whose changes they are.
    ///   - state: The path of the state file.
    init(of kind: SnapshotHeader.Kind, beside state: String, on disk: any StateDisk) {
        self.kind = kind
        path = JournalOutput.path(beside: state)
        self.disk = disk
    }

    // MARK: Changes

    /// Appends a change that was made just now, under the lock under which it was made.
    ///
    /// - Returns: Its sequence.
    @discardableResult
    package func append(_ change: any JournalChange) -> UInt64 {
        let (sequence, wakes) = state.withLock { state in
            state.appended += 1
            guard !state.isClosed else {
                // After the end: nobody writes it any more, though what came before may be still on its way.
                state.fail(state.appended...state.appended)
                if state.queue.isEmpty, !state.isBusy { state.decided = state.appended }
                return (state.appended, false)
            }
            state.queue.append(change)
            return (state.appended, state.queue.count == 1 && !state.isBusy)
        }
        if wakes { state.wake() }
        return sequence
    }

    /// The sequence of the last change.
    package var end: UInt64 { state.withLock { $0.appended } }

    /// Changes that did not get on the disk.
    package var failureCount: Int { state.withLock { $0.failureCount } }

    /// Whether all changes up to a sequence are on the disk, in the journal or by a snapshot.
    func verdict(on end: UInt64) -> Verdict { state.withLock { $0.verdict(on: end) } }

    /// Whether a change is not known to be on the disk: it is on its way, or could not be put there, and no snapshot that has it
    /// has begun another file since.
    package func isOpen(_ sequence: UInt64) -> Bool {
        state.withLock { state in
            switch state.verdict(on: sequence) {
            case .pending: true
            case .settled: false
            case .failed: state.isFailing
            }
        }
    }

    /// Calls back once it is known whether all changes up to a sequence are on the disk: at once, or on the journal's
    /// thread, which must not be held up.
    package func wait(for end: UInt64, _ resume: @escaping @Sendable (_ isSettled: Bool) -> Void) {
        let verdict = state.withLock { state in
            let verdict = state.verdict(on: end)
            if verdict == .pending { state.waiters.append(Waiter(end: end, resume: resume)) }
            return verdict
        }
        if verdict != .pending { resume(verdict == .settled) }
    }

    // MARK: The thread

    /// Begins to write, into the file that `rebase` makes; until then what is appended fails.
    func start(_ tell: @escaping @Sendable (Event) -> Void) throws(StateFailure) {
        do throws(SystemThread.StartError) {
            _ = try SystemThread(name: "state-journal") { [self] in run(tell) }
        } catch {
            throw StateFailure(
                operation: "start a thread for", path: path, code: error.code, detail: "there are too many threads")
        }
    }

    private func run(_ tell: @Sendable (Event) -> Void) {
        while true {
            let batch = state.wait(until: { !$0.isBusy && (!$0.queue.isEmpty || $0.isClosed) }) { state -> Batch? in
                guard !state.queue.isEmpty else { return nil }
                state.isBusy = true
                defer { state.queue = [] }
                return Batch(changes: state.queue, first: state.decided + 1, tailStart: state.tailStart)
            }
            guard let batch else { return }
            write(batch, tell)
        }
    }

    private func write(_ batch: Batch, _ tell: @Sendable (Event) -> Void) {
        let hadOutput = output != nil
        var failure: StateFailure?
        let bytes = encode(batch)
        do throws(StateFailure) {
            try output?.append(bytes)
        } catch {
            failure = error
            output = nil
        }
        let isFailed = output == nil
        let size = output?.byteCount ?? 0
        let isLarge = size > nextSize
        // Should that snapshot fail, it is asked for once more in time.
        if isLarge { nextSize = size + Self.sizeLimit }
        let due = state.withLock { state in
            if isFailed { state.fail(batch.first...batch.last) }
            state.isFailing = isFailed
            state.isBusy = false
            state.decided = state.isClosed && state.queue.isEmpty ? state.appended : batch.last
            return state.takeDecided()
        }
        state.wake()
        for (waiter, isSettled) in due { waiter.resume(isSettled) }
        if let failure, hadOutput { tell(.failed(failure)) }
        if isLarge { tell(.grown) }
    }

    private func encode(_ batch: Batch) -> [UInt8] {
        var bytes: [UInt8] = []
        for (sequence, change) in zip(batch.first..., batch.changes) {
            let start = bytes.count
            JournalFrame.append(change, to: &bytes, sequence: sequence, mark: mark)
            if let tailStart = batch.tailStart, sequence > tailStart { tail += bytes[start...] }
        }
        return bytes
    }

    // MARK: Snapshots

    /// Begins to keep the records that the next file is to begin with.
    ///
    /// - Returns: The sequence of the last change that the snapshot has, as it begins to look at the store after this.
    func beginSnapshot() -> UInt64 {
        state.wait(until: { !$0.isBusy }) { state in
            tail = []
            state.tailStart = state.appended
            return state.appended
        }
    }

    /// Ends a snapshot that did not come to its end: the file stays the journal.
    func endSnapshot() {
        state.wait(until: { !$0.isBusy }) { state in
            tail = []
            state.tailStart = nil
        }
    }

    /// Begins a new file on top of a state file, which has all that was appended before `beginSnapshot`.
    ///
    /// - Parameters:
    ///   - base: The mark of the state file; 0: there is none.
    ///   - sequence: What `beginSnapshot` gave.
    /// - Throws: Where it fails; the file until now stays the journal, if it still has the name, and goes with that state
    ///   file, too.
    func rebase(onto base: UInt64, after sequence: UInt64, at time: SnapshotTime) throws(StateFailure) {
        state.wait(until: { !$0.isBusy }) { $0.isBusy = true }
        defer {
            tail = []
            state.withLock { state in
                state.isBusy = false
                state.tailStart = nil
            }
            state.wake()
        }
        let header = JournalHeader(kind, time: time, mark: mark, base: base, firstSequence: sequence + 1)
        let next = try JournalOutput(path, header, tail: tail, on: disk)
        try next.takePlace()
        // The one until now has no name any more.
        output = nil
        try next.syncName()
        output = next
        nextSize = Self.sizeLimit
        state.withLock { $0.isFailing = false }
    }

    /// Whether what was appended last has failed, and no new file was begun since. Waits for nobody.
    package var isFailing: Bool { state.withLock { $0.isFailing } }

    /// Whether what is appended fails.
    var isBroken: Bool { state.wait(until: { !$0.isBusy }) { _ in output == nil } }

    // MARK: The end

    /// Lets the thread end, when it has written what has been appended. What is appended later fails.
    func stop() {
        state.withLock { $0.isClosed = true }
        state.wake()
    }

    /// Writes what has been appended, and lets go of the file.
    ///
    /// - Parameter sequence: What `beginSnapshot` gave for a last state file, which is in its place: without later changes
    ///   nothing needs the journal, and it is removed. Nil: it stays.
    func close(after sequence: UInt64?) {
        stop()
        let isNeeded = state.wait(until: { !$0.isBusy && $0.queue.isEmpty }) { state in
            output = nil
            return state.appended != sequence
        }
        // Should a crash bring it back: the state file says up to where it has it.
        if !isNeeded { _ = disk.unlink(path) }
    }
}
