internal import CFastCGI
internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// One thread that waits for events and answers requests.
///
/// epoll is the only place where an idle worker waits. All of its state is its own; what it shares is in `Engine`.
final class Worker: @unchecked Sendable {
    // Safe: everything but `executor` is used by the worker's own thread only.
    let index: Int
    let engine: Engine
    let executor = WorkerExecutor()
    var context: RequestContext
    let protocolRequest: UnsafeMutablePointer<FCGX_Request>
    /// Header blocks and small answers are put together here.
    var scratch: [UInt8] = []
    let drainBuffer: UnsafeMutableRawBufferPointer
    private let headCheck: HeadCheck

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
        protocolRequest = .allocate(capacity: 1)
        drainBuffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit {
        protocolRequest.deallocate()
        drainBuffer.deallocate()
    }

    private static func newContext(_ engine: Engine) -> RequestContext {
        let settings = RequestSettings(
            mount: engine.configuration.mount,
            maxBodyBytes: engine.configuration.maxBodyBytes,
            formLimits: engine.configuration.formLimits
        )
        return RequestContext(settings: settings, capacity: firstLook)
    }

    /// Serves until the server ends.
    func run() {
        context.executor = executor
        var packed: UInt64 = 0
        while true {
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
            serve(slot, fd)
        case .none: engine.rearm(listener: listener)
        case .exhausted: engine.pause(listener: listener)
        }
    }

    private func wake(_ slot: Int, _ generation: UInt32) {
        let fd: Int32? = engine.table.withSlot(slot) { slot in
            guard slot.generation == generation else { return nil }
            switch slot.phase {
            case .free: return nil
            case .idle:
                slot.phase = .head
                return slot.fd
            case .head, .running, .overrun:
                slot.isPending = true
                return nil
            }
        }
        if let fd { serve(slot, fd) }
    }

    /// Answers what waits on a connection that this worker holds, then parks or closes it.
    func serve(_ slot: Int, _ fd: Int32) {
        while true {
            let hasPartialHead: Bool
            switch look(fd) {
            case .nothing: hasPartialHead = false
            case .partial: hasPartialHead = true
            case .closed:
                engine.close(slot: slot)
                return
            case .refused(let refusal):
                engine.counters.count(engine.counters.refusedHeads)
                engine.refusals.log(refusal.rawValue, "closed a connection: \(refusal.rawValue)")
                engine.close(slot: slot)
                return
            case .head(let head):
                switch answer(head, slot, fd) {
                case .keep: break
                case .close:
                    engine.close(slot: slot)
                    return
                case .closedByLibrary:
                    engine.forget(slot: slot)
                    return
                }
                hasPartialHead = false
            }
            switch engine.park(slot: slot, hasPartialHead: hasPartialHead) {
            case .parked: return
            case .lookAgain: continue
            case .mustClose:
                engine.close(slot: slot)
                return
            }
        }
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
        guard !isKnownUniquelyReferenced(&context) else { return }
        context = Self.newContext(engine)
        context.executor = executor
    }
}
