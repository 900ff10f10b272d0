internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import HTTPTypes
internal import Synchronization

/// One thread that waits for events and answers requests.
///
/// All of its state is its own but for what others may look at, in its `Post`; what workers share is in `Engine` and `Crew`.
final class Worker: @unchecked Sendable {
    // Safe: everything but `isRetired` is used by the worker's own thread only.
    let index: Int
    let engine: Engine
    let crew: Crew
    private let post: Post
    /// The request that is being read, unless one has begun that waits with its connection.
    private var exchange: Exchange
    /// Where all that arrives passes through.
    private let buffer: UnsafeMutableRawBufferPointer
    private let isRetired = Atomic<Bool>(false)

    private var pace = Pace()
    /// When what it does now came at the earliest, in nanoseconds; 0 where nobody wants to know.
    private var arrivedAt: Int64 = 0
    /// What it has taken from the queue since it looked at the kernel's events.
    private var queueStreak = 0

    /// So much is taken from the queue before the kernel's events have their turn.
    private static let longestStreak = 16

    init(index: Int, engine: Engine, crew: Crew, post: Post) {
        self.index = index
        self.engine = engine
        self.crew = crew
        self.post = post
        exchange = engine.newExchange()
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Ends `run` after what it is doing now. From any thread.
    func retire() {
        isRetired.store(true, ordering: .relaxed)
    }

    // MARK: Events

    /// Serves until the server ends or another worker has taken this one's place.
    func run() {
        cplatform_become_worker()
        pace.wakeUp()
        while let work = nextWork() { perform(work) }
        while let event = crew.take(from: post) { perform(.event(event)) }
    }

    /// What to do next: of its own batch, of the queue, of another's batch, at last of the kernel. Nil when the server has
    /// ended.
    private func nextWork() -> WorkQueue.Work? {
        var isResting = false
        while engine.stage != .exiting, !isRetired.load(ordering: .relaxed) {
            if let event = crew.take(from: post) {
                arrivedAt = post.arrivedAt.load(ordering: .relaxed)
                return .event(event)
            }
            if queueStreak < Self.longestStreak, let work = crew.takeWork() {
                queueStreak += 1
                arrivedAt = 0
                if isResting { pace.wakeUp() }
                return work
            }
            if !isResting { pace.rest(crew) }
            isResting = true
            if let (event, arrivedAt) = crew.steal() {
                pace.wakeUp()
                self.arrivedAt = arrivedAt
                return .event(event)
            }
            let looksOnly = queueStreak >= Self.longestStreak
            queueStreak = 0
            if !looksOnly, crew.restIfSpare(index) { continue }
            let arrival = crew.takeEvents(post, atMost: pace.batchLimit, waits: !looksOnly)
            pace.wakeUp()
            arrivedAt = post.arrivedAt.load(ordering: .relaxed)
            switch arrival {
            case .event(let event): return .event(event)
            case .none: continue
            case .failed: return nil
            }
        }
        return nil
    }

    private func perform(_ work: WorkQueue.Work) {
        let switches = pace.begin()
        post.begin()
        switch work {
        case .job(let job): job.runSynchronously(on: crew.asUnownedTaskExecutor())
        case .event(let packed):
            switch EventKey(packed: packed) {
            case .exit, .nudge: break
            case .listener(let listener): acceptOne(listener)
            case .connection(let slot, let generation):
                wake(slot, generation, hasEnded: packed & EventKey.endMark != 0)
            }
        }
        if post.finish() { crew.comeBack() }
        pace.end(switches, crew)
    }

    private func acceptOne(_ listener: Int) {
        guard engine.stage == .serving else { return }
        switch engine.acceptor.accept(listener) {
        case .connection(let slot, let fd):
            engine.acceptor.rearm(listener)
            serve(Turn(fd: fd, slot: slot, buffer: buffer), .request, isOverdue: false)
        case .none, .refused: engine.acceptor.rearm(listener)
        case .exhausted: engine.acceptor.pause(listener)
        }
    }

    /// - Parameter hasEnded: The peer sends no more: its end waits behind the bytes, and raises no event of its own.
    private func wake(_ slot: Int, _ generation: UInt32, hasEnded: Bool) {
        let now = BootInstant.now
        let (fd, claim) = engine.table.withSlot(slot) { ($0.fd, $0.state.wake(generation, now: now)) }
        guard case .claimed(let waiting, let isOverdue, let isNews) = claim else { return }
        if isOverdue, isNews { engine.counters.count(engine.counters.timeouts) }
        serve(Turn(fd: fd, slot: slot, hasEnded: hasEnded, buffer: buffer), waiting, isOverdue: isOverdue)
    }

    // MARK: A connection's turn

    /// Answers what waits on a connection that this worker holds, then parks or closes it.
    private func serve(_ claim: Turn, _ claimed: ConnectionState.Waiting, isOverdue: Bool) {
        var (turn, waiting, isOverdue) = (claim, claimed, isOverdue)
        while true {
            let step = take(waiting, &turn, isOverdue)
            isOverdue = false
            switch step {
            case .again:
                waiting = .request
                continue
            case .close:
                // What came of a request that is never whole must not begin the next connection's.
                exchange.reset()
                engine.close(slot: turn.slot)
                return
            case .wait(let next): waiting = next
            }
            if engine.handOver(slot: turn.slot, waiting) { return }
            switch engine.park(slot: turn.slot, waiting, isReadable: turn.mayHaveMore && !waiting.isForTask) {
            case .parked:
                // A stop that began meanwhile has not seen it.
                if engine.stage >= .draining {
                    waiting.exchange?.stopStream()
                    engine.handOver(idle: turn.slot..<turn.slot + 1)
                }
                return
            case .lookAgain: turn.beginAgain()
            case .mustClose:
                waiting.exchange?.cancel()
                if let (lost, status) = waiting.unanswered {
                    engine.end(lost, status, wasSent: false)
                }
                engine.close(slot: turn.slot)
                return
            }
        }
    }

    private func take(_ waiting: ConnectionState.Waiting, _ turn: inout Turn, _ isOverdue: Bool) -> Turn.Step {
        switch waiting {
        case .request: return receive(exchange, &turn)
        case .turn(let following):
            turn.resume(with: following)
            return receive(exchange, &turn)
        case .head where isOverdue: return .close
        case .head(let begun): return receive(begun, &turn)
        case .body(let begun):
            if isOverdue { begun.timeOut() }
            return receive(begun, &turn)
        case .handler(let begun):
            guard let outcome = begun.takeOutcome() else { return lookAfter(begun, &turn) }
            turn.resume(with: begun.following)
            return step(after: deliver(outcome, of: begun, turn), begun, &turn)
        case .stream(let begun), .room(let begun):
            if isOverdue { begun.stream?.beat() }
            turn.resume(with: begun.following)
            return step(after: proceed(begun, turn), begun, &turn)
        case .farewell(let left, let end): return turn.readAway(left, until: end)
        }
    }

    /// Something has come on a connection whose handler still runs: the next request, or the peer's end.
    private func lookAfter(_ begun: Exchange, _ turn: inout Turn) -> Turn.Step {
        guard cplatform_is_hung_up(turn.fd) else { return .wait(.handler(begun)) }
        begun.cancel()
        engine.endLost(begun)
        return .close
    }

    /// Takes what has arrived of a request, and answers it if that was all.
    private func receive(_ first: Exchange, _ turn: inout Turn) -> Turn.Step {
        var begun = first
        while true {
            switch turn.read() {
            case .bytes:
                // Another configuration counts from the next request on, also where that comes at once.
                if begun === exchange, begun.check.isEmpty, begun.version != engine.active.now.pointee.number {
                    exchange = engine.newExchange()
                    begun = exchange
                }
            case .nothing:
                // What comes too late is not waited for once more.
                return begun.isLate ? answer(begun, &turn) : .wait(waiting(for: begun))
            case .end:
                guard begun.check.hasHead else { return .close }
                begun.cutShort()
                return answer(begun, &turn)
            case .broken:
                if begun.check.hasHead { engine.endLost(begun) }
                return .close
            }
            let hadHead = begun.check.hasHead
            let (taken, progress) = begun.take(turn.bytes)
            turn.take(taken)
            if !hadHead { begun.noteWait(since: &arrivedAt) }
            switch progress {
            case .waiting where begun.needsNoBody: return answer(begun, &turn)
            case .waiting: continue
            case .complete, .endless: return answer(begun, &turn)
            case .refused(let refusal): return refuse(refusal, begun, turn)
            case .management(let record):
                // A peer that asks and asks, and reads nothing, is no web server.
                let answer = record.answer(maxConnections: engine.active.now.pointee.values.maxConnections)
                guard answer.sendAtOnce(on: turn.fd) else { return .close }
            }
        }
    }

    /// What a connection waits for of which this has been read.
    private func waiting(for begun: Exchange) -> ConnectionState.Waiting {
        guard !begun.check.isEmpty else { return .request }
        leave(begun)
        guard !begun.check.hasHead else { return .body(begun) }
        begun.waitForHead()
        return .head(begun)
    }

    /// It waits with its connection: this worker goes on with another one.
    private func leave(_ begun: Exchange) {
        if begun === exchange { exchange = engine.newExchange() }
    }

    private func answer(_ begun: Exchange, _ turn: inout Turn) -> Turn.Step {
        step(after: answer(begun, turn), begun, &turn)
    }

    private func step(after disposition: Turn.Disposition, _ begun: Exchange, _ turn: inout Turn) -> Turn.Step {
        switch disposition {
        case .keep:
            recycle(begun)
            guard !turn.isThrough else { return .wait(.request) }
            return turn.endRequest() ? .again : .wait(.turn(following: turn.takeRest()))
        case .close:
            let isInStep = begun.isInStep
            recycle(begun)
            // A peer that is still sending would lose the answer with the connection.
            return isInStep ? .close : turn.bidFarewell(engine.active.now.pointee.values.maxDrainBytes)
        case .wait(let next):
            leave(begun)
            begun.following = turn.takeRest()
            return .wait(next)
        }
    }

    /// An exchange that is over serves again, unless a task may hold on to it.
    private func recycle(_ begun: Exchange) {
        guard !begun.hasTask else {
            if begun === exchange { exchange = engine.newExchange() }
            return
        }
        // The spare one, if there were two, is let go.
        exchange = begun
        begun.reset()
    }

    // MARK: Refusals

    private func refuse(_ refusal: RequestCheck.Refusal, _ begun: Exchange, _ turn: Turn) -> Turn.Step {
        engine.counters.count(engine.counters.refusedHeads)
        let (status, isSent) = begun.refuse(refusal, turn.bytes, on: turn.fd)
        engine.endRefused(ConnectionState.Unanswered(begun), refusal, status?.code, wasSent: isSent)
        exchange.reset()
        return isSent ? turn.bidFarewell(engine.active.now.pointee.values.maxDrainBytes) : .close
    }
}
