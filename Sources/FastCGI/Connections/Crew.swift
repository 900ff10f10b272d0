internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Synchronization

/// The workers: as many as configured, and one more for each whose handler does not come back. As many are awake as the
/// load needs.
///
/// An event lies in the kernel, where any worker that is awake gets it, or in the batch of one that has taken several, where
/// any other can take it. Should all that are awake be held up in handlers, the crew's clock sees it within two
/// milliseconds and wakes another. So no event waits for a handler longer than that while a worker is free.
///
/// Tasks of async handlers run on the workers, too: what they have to do next lies in a queue, from which each worker takes
/// between two looks at the kernel's events.
///
/// A handler that deadlocks cannot be ended, only left behind. Its worker is replaced, so that the others' work goes on;
/// when it comes back after all, its thread ends. At most as many as configured are replaced at a time.
final class Crew: TaskExecutor {
    private struct Member {
        let worker: Worker
        let thread: SystemThread
        /// Another one has its place; its thread ends once its handler returns.
        var isReplaced = false
    }

    private struct Roster {
        var members: [Member?] = []
        /// Posts whose workers sleep; the last one is the first to be woken: its memory is still in the cache.
        var asleep: [Int] = []
        /// Nobody shall sleep any more.
        var isDismissed = false
        var clock: SystemThread?
    }

    let engine: Engine
    private let roster = Locked(Roster())
    let posts: [Post]
    /// One past the highest post ever taken.
    let scanLimit = Atomic<Int>(0)
    /// Workers that are neither asleep nor held up.
    let ready = Atomic<Int>(0)
    /// Of them, those that wait for the kernel.
    let waiting = Atomic<Int>(0)
    /// Events that lie in batches, taken from the kernel and not begun.
    let lying = Atomic<Int>(0)
    private let queue = Locked(WorkQueue())
    /// Since when no worker waits for the kernel, in nanoseconds; 0 while one does. Kept only where there is a slow log.
    private let heldUpSince = Atomic<Int64>(0)
    /// What lies in the queue.
    let queued = Atomic<Int>(0)

    private let load: Load
    let ticker = Ticker()

    init(engine: Engine) {
        self.engine = engine
        let workers = engine.active.now.pointee.values.workers
        load = Load(workers: workers, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        // Those that are replaced have a post, too.
        posts = (0..<2 * workers).map { _ in Post() }
    }

    // MARK: Members

    /// Starts as many as the configuration says, and the clock; some may run when this throws.
    func start() throws(SystemThread.StartError) {
        for _ in 0..<engine.active.now.pointee.values.workers { try add() }
        let clock = try SystemThread(name: "fcgi-clock") { [self] in runClock() }
        roster.withLock { $0.clock = clock }
    }

    /// Threads that are there, and how many of them are left behind in handlers.
    var count: (all: Int, stuck: Int) {
        roster.withLock { roster in
            let present = roster.members.lazy.compactMap { $0 }
            return (present.count, present.count { $0.isReplaced })
        }
    }

    private func add() throws(SystemThread.StartError) {
        try roster.withLock { roster throws(SystemThread.StartError) in
            let index = roster.members.firstIndex { $0 == nil } ?? roster.members.endIndex
            guard index < posts.count else { throw SystemThread.StartError(code: EAGAIN) }
            let worker = Worker(index: index, engine: engine, crew: self, post: posts[index])
            ready.add(1, ordering: .sequentiallyConsistent)
            let thread: SystemThread
            do throws(SystemThread.StartError) {
                thread = try SystemThread(name: "fcgi-\(index)") { [self] in
                    worker.run()
                    ready.subtract(1, ordering: .sequentiallyConsistent)
                    self.roster.withLock { $0.members[index] = nil }
                }
            } catch {
                ready.subtract(1, ordering: .sequentiallyConsistent)
                throw error
            }
            let member = Member(worker: worker, thread: thread)
            if index < roster.members.endIndex { roster.members[index] = member } else { roster.members.append(member) }
            scanLimit.store(roster.members.count, ordering: .releasing)
        }
    }

    /// What became of the place of a worker whose handler is past its deadline.
    enum Replacement {
        case started
        /// Another one has taken its place before.
        case known
        /// As many as are allowed are stuck already.
        case tooMany(stuck: Int)
        case failed(code: Int32)
    }

    func replace(_ index: Int) -> Replacement {
        guard member(index)?.isReplaced == false else { return .known }
        let stuck = count.stuck
        guard stuck < engine.active.now.pointee.values.workers else { return .tooMany(stuck: stuck) }
        do throws(SystemThread.StartError) {
            try add()
        } catch {
            return .failed(code: error.code)
        }
        let isAsleep = roster.withLock { roster in
            roster.members[index]?.isReplaced = true
            roster.members[index]?.worker.retire()
            // It may have come back in this moment, and gone to sleep.
            guard let place = roster.asleep.firstIndex(of: index) else { return false }
            roster.asleep.remove(at: place)
            return true
        }
        if isAsleep {
            ready.add(1, ordering: .sequentiallyConsistent)
            posts[index].wake()
        }
        return .started
    }

    private func member(_ index: Int) -> Member? { roster.withLock { $0.members[index] } }

    /// Lets all that sleep see that the server has ended.
    func dismiss() {
        let asleep = roster.withLock { roster in
            roster.isDismissed = true
            defer { roster.asleep = [] }
            return roster.asleep
        }
        for index in asleep {
            ready.add(1, ordering: .sequentiallyConsistent)
            posts[index].wake()
        }
        ticker.end()
    }

    /// Waits until all have ended, until `deadline`; returns how many have not.
    func join(until deadline: BootInstant) -> Int {
        let (threads, clock) = roster.withLock { ($0.members.compactMap { $0?.thread }, $0.clock) }
        let stuck = threads.count { !$0.join(timeout: max(.zero, BootInstant.now.duration(to: deadline))) }
        _ = clock?.join(timeout: .seconds(1))
        return stuck
    }

    // MARK: Events

    /// What came of waiting for the kernel.
    enum Arrival {
        case event(UInt64)
        /// Nothing, for this time.
        case none
        /// There can be no events any more.
        case failed
    }

    /// Takes events: returns the first, and puts others that are there already into the batch.
    ///
    /// - Parameter waits: Sleep until there are some, unless something lies in the queue.
    func takeEvents(_ post: Post, atMost limit: Int, waits: Bool) -> Arrival {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Post.capacity) { taken in
            var others = 0
            if waits { waiting.add(1, ordering: .sequentiallyConsistent) }
            // Whoever adds to the queue after this look finds this worker waiting, and nudges it.
            let mayWait = waits && queued.load(ordering: .sequentiallyConsistent) == 0
            let isTimed = engine.isTimed
            let before = isTimed ? beginLook(waits: mayWait) : nil
            let count = engine.poller.take(taken.baseAddress!, atMost: limit, waits: mayWait)
            if waits { others = waiting.subtract(1, ordering: .sequentiallyConsistent).newValue }
            let arrivedAt = before.map { endLook($0, mayBeMore: count == limit, isAnyWaiting: others > 0) } ?? 0
            post.arrivedAt.store(arrivedAt, ordering: .relaxed)
            guard count > 0 else {
                if waits, others == 0 { ticker.start() }
                return count == 0 ? .none : .failed
            }
            if count > 1 {
                lying.add(count - 1, ordering: .sequentiallyConsistent)
                post.fill(UnsafeBufferPointer(rebasing: taken[1..<count]))
            }
            if count > 1 || others == 0 { ticker.start() }
            return .event(taken[0])
        }
    }

    /// The next event of a worker's own batch.
    func take(from post: Post) -> UInt64? {
        guard let event = post.takeNext() else { return nil }
        lying.subtract(1, ordering: .relaxed)
        return event
    }

    /// An event that lies in somebody's batch.
    ///
    /// - Returns: It, and when it came at the earliest; see `Post.arrivedAt`.
    func steal() -> (event: UInt64, arrivedAt: Int64)? {
        guard lying.load(ordering: .relaxed) > 0 else { return nil }
        for index in 0..<scanLimit.load(ordering: .acquiring) {
            guard let event = posts[index].steal() else { continue }
            lying.subtract(1, ordering: .relaxed)
            return (event, posts[index].arrivedAt.load(ordering: .relaxed))
        }
        return nil
    }

    // MARK: How long events wait

    // The kernel does not say since when an event is there. While a worker waits for it none lies there; what lies there when
    // one comes again may have come any time since the last one has left.

    /// A worker looks what there is.
    ///
    /// - Returns: When, and since when nobody has waited.
    private func beginLook(waits: Bool) -> (lookedAt: BootInstant, heldUpSince: Int64) {
        let since =
            waits ? heldUpSince.exchange(0, ordering: .relaxed) : heldUpSince.load(ordering: .relaxed)
        return (.now, since)
    }

    /// It has looked.
    ///
    /// - Returns: When what it has found came at the earliest, in nanoseconds.
    private func endLook(
        _ before: (lookedAt: BootInstant, heldUpSince: Int64), mayBeMore: Bool, isAnyWaiting: Bool
    ) -> Int64 {
        let now = BootInstant.now.nanoseconds
        // Who has slept there was woken by what came.
        let hasSlept = now - before.lookedAt.nanoseconds > 50_000
        let isLeft = !hasSlept && before.heldUpSince != 0
        let next = isAnyWaiting ? 0 : mayBeMore && isLeft ? before.heldUpSince : now
        heldUpSince.store(next, ordering: .relaxed)
        return isLeft ? before.heldUpSince : now
    }

    // MARK: The queue

    /// Has a worker look at a connection. From any thread.
    func raise(_ event: EventKey) {
        enqueue(.event(event.packed))
    }

    /// Has a worker go on with a task. From any thread.
    func enqueue(_ job: consuming ExecutorJob) {
        enqueue(.job(UnownedJob(job)))
    }

    /// A stop waits for tasks.
    func beginTask() {
        engine.counters.tasks.add(1, ordering: .relaxed)
    }

    func endTask() {
        engine.counters.tasks.subtract(1, ordering: .relaxed)
        if engine.stage != .serving { engine.lifecycle.callWatchdog() }
    }

    private func enqueue(_ work: WorkQueue.Work) {
        queue.withLock { $0.append(work) }
        queued.add(1, ordering: .sequentiallyConsistent)
        let isFirst = queued.load(ordering: .relaxed) == 1
        // A worker looks there itself once it is through, and of two nudges one may be lost: should it take long, the clock has
        // another come.
        if cplatform_is_worker() || !isFirst { ticker.start() }
        if !cplatform_is_worker() || !isFirst, waiting.load(ordering: .sequentiallyConsistent) > 0 {
            engine.poller.nudge()
        }
    }

    func takeWork() -> WorkQueue.Work? {
        guard queued.load(ordering: .relaxed) > 0 else { return nil }
        guard let work = queue.withLock({ $0.popFirst() }) else { return nil }
        queued.subtract(1, ordering: .sequentiallyConsistent)
        return work
    }

    /// An event is over in which its worker was found held up: it is back.
    func comeBack() {
        ready.add(1, ordering: .sequentiallyConsistent)
    }

    /// Lets a worker sleep that nobody needs; false if it is needed.
    func restIfSpare(_ index: Int) -> Bool {
        guard isSpare else { return false }
        let mayRest = roster.withLock { roster in
            guard !roster.isDismissed, isSpare else { return false }
            ready.subtract(1, ordering: .sequentiallyConsistent)
            posts[index].lieDown()
            roster.asleep.append(index)
            return true
        }
        if mayRest { posts[index].sleep() }
        return mayRest
    }

    private var isSpare: Bool {
        ready.load(ordering: .sequentiallyConsistent) > load.needed
    }

    /// Wakes workers until as many are ready as are needed; false if there was none to wake.
    @discardableResult
    func reinforce() -> Bool {
        var didWake = false
        while true {
            let woken: Int? = roster.withLock { roster in
                guard ready.load(ordering: .sequentiallyConsistent) < load.needed,
                    let index = roster.asleep.popLast()
                else { return nil }
                ready.add(1, ordering: .sequentiallyConsistent)
                return index
            }
            guard let woken else { return didWake }
            posts[woken].wake()
            didWake = true
        }
    }

    /// Adds what a worker has done: so many events, in so many nanoseconds.
    ///
    /// - Returns: How many events it may take next.
    func record(_ count: Int, busy duration: Int64, serviceTime: Int64, at now: BootInstant) -> Int {
        if load.record(count, busy: duration, at: now) { reinforce() }
        return load.batch(serviceTime: serviceTime)
    }

    /// Adds one event of which it is known whether the processor was given up in it.
    func record(isBlocked: Bool) {
        load.record(isBlocked: isBlocked)
    }
}
