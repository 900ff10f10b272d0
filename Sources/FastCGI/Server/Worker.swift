internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// One thread that waits for events and answers requests.
///
/// All of its state is its own but for what others may look at, in its `Post`; what workers share is in `Engine` and `Crew`.
final class Worker: @unchecked Sendable {
    // Safe: everything but `executor` and `isRetired` is used by the worker's own thread only.
    let index: Int
    let engine: Engine
    private let crew: Crew
    private let post: Post
    let executor = WorkerExecutor()
    var library = ProtocolLibrary()
    /// The request that is being read, unless one has begun that waits with its connection.
    var intake: Intake
    /// Header blocks and small answers are put together here.
    var scratch: [UInt8] = []
    /// Where all that arrives passes through.
    private let buffer: UnsafeMutableRawBufferPointer
    private let isRetired = Atomic<Bool>(false)

    /// Since when it has had something to do, and how many events there were.
    private var busySince = BootInstant(nanoseconds: 0)
    private var performed = 0
    /// How long one takes, in nanoseconds: a moving average.
    private var serviceTime: Int64 = 0
    private var batchLimit = 1
    private var sampling: UInt32 = 0

    /// What one connection may bring in a turn, in bytes: then others have theirs, however fast it sends.
    private static let turn = 256 << 10
    /// What a request counts for, however few bytes it has: 16 of them are a turn.
    private static let requestCost = turn / 16

    init(index: Int, engine: Engine, crew: Crew, post: Post) {
        self.index = index
        self.engine = engine
        self.crew = crew
        self.post = post
        intake = Intake(engine.configuration)
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Ends `run` after what it is doing now. From any thread.
    func retire() {
        isRetired.store(true, ordering: .relaxed)
    }

    /// Serves until the server ends or another worker has taken this one's place.
    func run() {
        busySince = .now
        while !isRetired.load(ordering: .relaxed), let event = nextEvent() { perform(event) }
        while let event = crew.take(from: post) { perform(event) }
    }

    /// The next event: of its own batch, of another's, at last of the kernel. Nil when the server has ended.
    private func nextEvent() -> UInt64? {
        var isRecorded = false
        while engine.stage != .exiting {
            if let event = crew.take(from: post) { return event }
            if !isRecorded { record() }
            isRecorded = true
            if let event = crew.steal() {
                busySince = .now
                return event
            }
            if crew.restIfSpare(index) { continue }
            let arrival = crew.waitForEvents(post, atMost: batchLimit)
            busySince = .now
            switch arrival {
            case .event(let event): return event
            case .none: continue
            case .failed: return nil
            }
        }
        return nil
    }

    /// Tells the crew what this worker has done since it had nothing to do.
    private func record() {
        let now = BootInstant.now
        let duration = now.nanoseconds - busySince.nanoseconds
        if performed > 0 { serviceTime += (duration / Int64(performed) - serviceTime) / 8 }
        batchLimit = crew.record(performed, busy: duration, serviceTime: serviceTime, at: now)
        performed = 0
    }

    private func perform(_ packed: UInt64) {
        performed += 1
        sampling &+= 1
        let isSampled = sampling % 16 == 0
        let switches = isSampled ? cplatform_voluntary_switches() : 0
        post.begin()
        switch EventKey(packed: packed) {
        case .exit, .nudge: break
        case .listener(let listener): acceptOne(listener)
        case .connection(let slot, let generation): wake(slot, generation)
        }
        if post.finish() { crew.comeBack() }
        if isSampled { crew.record(isBlocked: cplatform_voluntary_switches() != switches) }
    }

    private func acceptOne(_ listener: Int) {
        guard engine.stage == .serving else { return }
        switch engine.accept(listener: listener) {
        case .connection(let slot, let fd):
            engine.rearm(listener: listener)
            serve(slot, Claim(fd: fd))
        case .none: engine.rearm(listener: listener)
        case .exhausted: engine.pause(listener: listener)
        }
    }

    /// A connection that this worker holds, and what it has waited for.
    struct Claim {
        let fd: Int32
        var waiting = ConnectionTable.Waiting.request
        var isOverdue = false
    }

    private func wake(_ slot: Int, _ generation: UInt32) {
        let claim: Claim? = engine.table.withSlot(slot) { slot in
            guard slot.generation == generation else { return nil }
            switch slot.phase {
            case .free: return nil
            case .idle:
                slot.phase = .head
                defer { slot.waiting = .request }
                var claim = Claim(fd: slot.fd, waiting: slot.waiting, isOverdue: slot.isOverdue)
                // Bytes that come when the time is over come too late, whoever looks first.
                if slot.waiting.isForRest, !slot.isOverdue, slot.deadline <= .now {
                    claim.isOverdue = true
                    engine.counters.count(engine.counters.timeouts)
                }
                return claim
            case .head, .running, .overrun:
                slot.isPending = true
                return nil
            }
        }
        if let claim { serve(slot, claim) }
    }

    /// Answers what waits on a connection that this worker holds, then parks or closes it.
    func serve(_ slot: Int, _ claim: Claim) {
        var waiting = claim.waiting
        var isOverdue = claim.isOverdue
        var reading = Reading(fd: claim.fd, slot: slot)
        while true {
            let step: Step
            switch waiting {
            case .request: step = receive(intake, &reading)
            case .turn(let following):
                reading.keep(following, in: buffer)
                reading.mayHaveMore = true
                step = receive(intake, &reading)
            case .head where isOverdue: step = .close
            case .head(let begun): step = receive(begun, &reading)
            case .body(let begun):
                if isOverdue { begun.timeOut() }
                step = receive(begun, &reading)
            case .room(let departure):
                reading.keep(departure.following, in: buffer)
                // What has come meanwhile raises no event of its own: it is looked at afterwards.
                reading.mayHaveMore = true
                step = self.step(after: resume(departure, claim.fd), &reading)
            }
            isOverdue = false
            switch step {
            case .again:
                waiting = .request
                continue
            case .close:
                // What came of a request that is never whole must not begin the next connection's.
                intake.reset()
                engine.close(slot: slot)
                return
            case .wait(let next): waiting = next
            }
            switch engine.park(slot: slot, waiting: waiting, isReadable: reading.mayHaveMore) {
            case .parked: return
            case .lookAgain: reading.budget = Self.turn
            case .mustClose:
                if let (lost, status) = waiting.unanswered {
                    engine.end(lost.context, lost.startedAt, status, wasSent: false)
                }
                engine.close(slot: slot)
                return
            }
        }
    }

    /// One turn of a connection.
    struct Reading {
        let fd: Int32
        let slot: Int
        /// Where in the worker's buffer bytes are that have not been looked at.
        var rest = 0..<0
        var budget = Worker.turn
        /// The connection has not said that nothing more waits there.
        var mayHaveMore = false

        init(fd: Int32, slot: Int) {
            self.fd = fd
            self.slot = slot
        }

        /// Takes up bytes that came behind an earlier request.
        mutating func keep(_ bytes: [UInt8], in buffer: UnsafeMutableRawBufferPointer) {
            guard rest.isEmpty, !bytes.isEmpty else { return }
            buffer.copyBytes(from: bytes)
            rest = 0..<bytes.count
        }
    }

    /// What to do with a connection after a look at it.
    private enum Step {
        /// Park it.
        case wait(ConnectionTable.Waiting)
        /// Look for the next request.
        case again
        case close
    }

    /// Takes what has arrived of a request, and answers it if that was all.
    private func receive(_ intake: Intake, _ reading: inout Reading) -> Step {
        while true {
            if reading.rest.isEmpty {
                guard reading.budget > 0 else {
                    reading.mayHaveMore = true
                    // What comes too late is not waited for once more.
                    return intake.isLate ? answer(intake, &reading) : .wait(waiting(with: intake))
                }
                let count = recv(reading.fd, buffer.baseAddress!, buffer.count, Int32(MSG_DONTWAIT))
                if count < 0 {
                    if errno == EINTR { continue }
                    guard errno == EAGAIN else { return .close }
                    reading.mayHaveMore = false
                    return intake.isLate ? answer(intake, &reading) : .wait(waiting(with: intake))
                }
                guard count > 0 else {
                    guard intake.check.hasHead else { return .close }
                    intake.cutShort()
                    return answer(intake, &reading)
                }
                reading.rest = 0..<count
                reading.budget -= count
                reading.mayHaveMore = count == buffer.count
            }
            let (taken, progress) = intake.take(UnsafeRawBufferPointer(rebasing: buffer[reading.rest]))
            reading.rest = reading.rest.lowerBound + taken..<reading.rest.upperBound
            switch progress {
            case .waiting where intake.needsNoBody: return answer(intake, &reading)
            case .waiting: continue
            case .complete: return answer(intake, &reading)
            case .refused(let refusal): return refuse(refusal, intake)
            case .endless: return .close
            }
        }
    }

    /// What a connection waits for of which this has been read.
    private func waiting(with intake: Intake) -> ConnectionTable.Waiting {
        guard !intake.check.isEmpty else { return .request }
        // It waits with its connection: this worker goes on with another one.
        if intake === self.intake { self.intake = Intake(engine.configuration) }
        guard !intake.check.hasHead else { return .body(intake) }
        intake.waitForHead()
        return .head(intake)
    }

    private func answer(_ intake: Intake, _ reading: inout Reading) -> Step {
        // The spare one, if there were two, is let go.
        self.intake = intake
        let step = step(after: answer(reading), &reading)
        self.intake.reset()
        return step
    }

    private func step(after disposition: Disposition, _ reading: inout Reading) -> Step {
        switch disposition {
        case .keep:
            guard reading.mayHaveMore || !reading.rest.isEmpty else { return .wait(.request) }
            reading.budget -= Self.requestCost
            guard reading.budget <= 0 else { return .again }
            defer { reading.rest = 0..<0 }
            return .wait(.turn(following: Array(buffer[reading.rest])))
        case .close: return .close
        case .departing(let departure):
            departure.following = Array(buffer[reading.rest])
            reading.rest = 0..<0
            return .wait(.room(departure))
        }
    }

    private func refuse(_ refusal: RequestCheck.Refusal, _ intake: Intake) -> Step {
        engine.counters.count(engine.counters.refusedHeads)
        engine.summarize(
            intake.context, intake.check.hasHead ? intake.startedAt : .now, 400, wasSent: false)
        engine.refusals.log(refusal.rawValue, "closed a connection: \(refusal.rawValue)")
        self.intake.reset()
        return .close
    }
}
