internal import GalletaPlatform
internal import Synchronization

/// The workers' threads: as many as configured, and one more for each whose handler does not come back.
///
/// A handler that deadlocks cannot be ended, only left behind. Its worker is replaced, so that the others' work goes on;
/// when it comes back after all, its thread ends. At most as many as configured are replaced at a time.
final class WorkerPool: Sendable {
    private struct Member {
        let worker: Worker
        let thread: SystemThread
        /// Another one has its place; its thread ends once its handler returns.
        var isReplaced = false
    }

    private let engine: Engine
    private let members = Locked<[Member?]>([])

    init(engine: Engine) {
        self.engine = engine
    }

    /// Starts as many as the configuration says; some may run when this throws.
    func start() throws(SystemThread.StartError) {
        for _ in 0..<engine.configuration.workers { try add() }
    }

    /// Threads that are there, and how many of them are left behind in handlers.
    var count: (all: Int, stuck: Int) {
        members.withLock { members in
            let present = members.lazy.compactMap { $0 }
            return (present.count, present.count { $0.isReplaced })
        }
    }

    private func add() throws(SystemThread.StartError) {
        try members.withLock { members throws(SystemThread.StartError) in
            let index = members.firstIndex { $0 == nil } ?? members.endIndex
            let worker = Worker(index: index, engine: engine)
            let thread = try SystemThread(name: "fcgi-\(index)") { [self] in
                worker.run()
                self.members.withLock { $0[index] = nil }
            }
            let member = Member(worker: worker, thread: thread)
            if index < members.endIndex { members[index] = member } else { members.append(member) }
        }
    }

    /// Cancels the task of an async handler that is past its deadline.
    func cancelRunning(_ index: Int) {
        member(index)?.worker.executor.cancelRunning()
    }

    /// What became of the place of a worker whose handler is past its deadline.
    enum Replacement {
        case started
        /// As many as are allowed are stuck already.
        case tooMany(stuck: Int)
        case failed(code: Int32)
    }

    func replace(_ index: Int) -> Replacement {
        let stuck = count.stuck
        guard stuck < engine.configuration.workers else { return .tooMany(stuck: stuck) }
        do throws(SystemThread.StartError) {
            try add()
        } catch {
            return .failed(code: error.code)
        }
        members.withLock { $0[index]?.isReplaced = true }
        member(index)?.worker.retire()
        return .started
    }

    private func member(_ index: Int) -> Member? { members.withLock { $0[index] } }

    /// Waits until all have ended, until `deadline`; returns how many have not.
    func join(until deadline: BootInstant) -> Int {
        let threads = members.withLock { $0.compactMap { $0?.thread } }
        return threads.count { !$0.join(timeout: max(.zero, BootInstant.now.duration(to: deadline))) }
    }
}
