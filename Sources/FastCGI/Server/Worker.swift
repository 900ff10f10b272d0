internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// One thread that waits for events and answers requests.
///
/// epoll is the only place where an idle worker waits. All of its state is its own but for two flags; what it shares is in `Engine`.
final class Worker: @unchecked Sendable {
    // Safe: everything but `executor` and `isRetired` is used by the worker's own thread only.
    let index: Int
    let engine: Engine
    let executor = WorkerExecutor()
    var context: RequestContext
    var library = ProtocolLibrary()
    /// Header blocks and small answers are put together here.
    var scratch: [UInt8] = []
    /// Where bodies pass through.
    let buffer: UnsafeMutableRawBufferPointer
    private let headCheck: HeadCheck
    private let isRetired = Atomic<Bool>(false)

    /// What one look at a head reads at most at first; heads behind nginx take about 1 KiB.
    private static let firstLook = 16 << 10

    init(index: Int, engine: Engine) {
        self.index = index
        self.engine = engine
        headCheck = HeadCheck(
            maxBytes: engine.configuration.maxHeadBytes,
            maxParameters: engine.configuration.maxParameters
        )
        context = Self.newContext(engine)
        buffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    private static func newContext(_ engine: Engine) -> RequestContext {
        let settings = RequestSettings(
            mount: engine.configuration.mount, address: engine.configuration.address,
            maxBodyBytes: engine.configuration.maxBodyBytes,
            formLimits: engine.configuration.formLimits
        )
        return RequestContext(settings: settings, capacity: firstLook)
    }

    /// Ends `run` after what it is doing now. From any thread.
    func retire() {
        isRetired.store(true, ordering: .relaxed)
    }

    /// Serves until the server ends or another worker has taken this one's place.
    func run() {
        context.executor = executor
        var packed: UInt64 = 0
        while !isRetired.load(ordering: .relaxed) {
            let count = cplatform_epoll_wait_one(engine.epoll, &packed)
            guard count >= 0 else { return }
            guard count > 0 else { continue }
            switch EventKey(packed: packed) {
            case .exit: return
            case .listener(let listener): acceptOne(listener)
            case .connection(let slot, let generation): wake(slot, generation)
            }
        }
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
                switch slot.waiting {
                case .request, .head: return Claim(fd: slot.fd)
                case .body, .room:
                    defer { slot.waiting = .request }
                    return Claim(fd: slot.fd, waiting: slot.waiting, isOverdue: slot.isOverdue)
                }
            case .head, .running, .overrun:
                slot.isPending = true
                return nil
            }
        }
        if let claim { serve(slot, claim) }
    }

    /// Answers what waits on a connection that this worker holds, then parks or closes it.
    func serve(_ slot: Int, _ claim: Claim) {
        let fd = claim.fd
        var waiting = claim.waiting
        var isOverdue = claim.isOverdue
        while true {
            let step: Step
            switch waiting {
            case .request, .head: step = begin(slot, fd)
            case .body(let arrival): step = gather(arrival, slot, fd, isOverdue: isOverdue)
            case .room(let departure):
                // What has come meanwhile raises no event of its own: it is looked at afterwards.
                step = self.step(after: resume(departure, fd), looksAgain: true)
            }
            isOverdue = false
            switch step {
            case .wait(let next): waiting = next
            case .again(let next):
                waiting = next
                continue
            case .close:
                engine.close(slot: slot)
                return
            }
            switch engine.park(slot: slot, waiting: waiting) {
            case .parked: return
            case .lookAgain: continue
            case .mustClose:
                if let (lost, status) = waiting.unanswered {
                    engine.end(lost.context, lost.startedAt, status, wasSent: false)
                }
                engine.close(slot: slot)
                return
            }
        }
    }

    /// What to do with a connection after a look at it.
    private enum Step {
        /// Park it: nothing more is there.
        case wait(ConnectionTable.Waiting)
        /// Look at it with this in mind.
        case again(ConnectionTable.Waiting)
        case close
    }

    /// Looks for a request's head, and answers the request if its body is there, too.
    private func begin(_ slot: Int, _ fd: Int32) -> Step {
        switch look(fd) {
        case .nothing: return .wait(.request)
        case .partial: return .wait(.head)
        case .closed: return .close
        case .refused(let refusal): return refuse(refusal, context, since: .now)
        case .head(let head) where head.suitsLibrary:
            return step(after: answer(head, slot, fd, nil))
        case .head(let head):
            let arrival = Arrival(context, head, engine.configuration)
            replaceContext()
            // These bytes have been looked at: they are there.
            guard skip(head.end, fd) else { return .close }
            return .again(.body(arrival))
        }
    }

    /// Takes what has arrived of a body, and answers the request if that was all.
    private func gather(_ arrival: Arrival, _ slot: Int, _ fd: Int32, isOverdue: Bool) -> Step {
        switch arrival.receive(from: fd, buffer: buffer) {
        case .waiting where arrival.head.hasNoBody: break
        case .waiting where !isOverdue: return .wait(.body(arrival))
        case .waiting: arrival.timeOut()
        case .ready: break
        case .broken: return .close
        case .refused(let refusal): return refuse(refusal, arrival.context, since: arrival.startedAt)
        }
        return step(after: answer(arrival.head, slot, fd, arrival))
    }

    private func step(after disposition: Disposition, looksAgain: Bool = false) -> Step {
        switch disposition {
        case .keep: looksAgain ? .again(.request) : .wait(.request)
        case .close: .close
        case .departing(let departure): .wait(.room(departure))
        }
    }

    private func refuse(_ refusal: HeadCheck.Refusal, _ context: RequestContext, since start: BootInstant) -> Step {
        engine.counters.count(engine.counters.refusedHeads)
        engine.summarize(context, start, 400, wasSent: false)
        engine.refusals.log(refusal.rawValue, "closed a connection: \(refusal.rawValue)")
        return .close
    }

    /// Takes bytes that wait off the connection.
    private func skip(_ count: Int, _ fd: Int32) -> Bool {
        var left = count
        while left > 0 {
            let taken = recv(fd, buffer.baseAddress!, min(left, buffer.count), Int32(MSG_DONTWAIT))
            if taken < 0, errno == EINTR { continue }
            guard taken > 0 else { return false }
            left -= taken
        }
        return true
    }

    private enum Look {
        case nothing
        case partial
        case closed
        case refused(HeadCheck.Refusal)
        case head(HeadCheck.Head)
    }

    /// Looks at the bytes that wait, without taking them: libfcgi shall read a head only when all of it is there.
    private func look(_ fd: Int32) -> Look {
        takeFreshContext()
        while true {
            let count = recv(
                fd, context.bytes.baseAddress!, context.bytes.count,
                Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
            if count == 0 { return .closed }
            if count < 0 {
                switch errno {
                case EAGAIN: return .nothing
                case EINTR: continue
                default: return .closed
                }
            }
            let seen = UnsafeMutableRawBufferPointer(rebasing: context.bytes[..<count])
            switch headCheck.check(seen, pairs: &context.pairs) {
            case .complete(let head): return .head(head)
            case .refused(let refusal): return .refused(refusal)
            case .incomplete:
                guard count == context.bytes.count else { return .partial }
                // Full, so there may be more. A head that does not fit its limit and one record more is refused.
                let limit = headCheck.maxBytes + RecordHeader.size
                guard count < limit else { return .refused(.tooLarge) }
                context.grow(to: min(limit, context.bytes.count * 4))
            }
        }
    }

    /// A handler that kept its request keeps the context with it: this worker goes on with a new one.
    private func takeFreshContext() {
        if !isKnownUniquelyReferenced(&context) { replaceContext() }
    }

    func replaceContext() {
        context = Self.newContext(engine)
        context.executor = executor
    }
}
