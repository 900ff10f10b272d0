internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Synchronization

/// The thread that keeps time: it ends what is past its deadline, and a stopping server's stages.
///
/// It sleeps until the next deadline. One that is set meanwhile is as a rule a whole timeout away, and it never sleeps longer
/// than the shortest; whoever sets an earlier one calls it. An idle server wakes a few times a minute.
final class Watchdog: Sendable {
    private let engine: Engine
    private let crew: Crew

    init(engine: Engine, crew: Crew) {
        self.engine = engine
        self.crew = crew
    }

    private var shortestTimeout: Duration {
        let configuration = engine.active.now.pointee.values
        return min(
            configuration.headTimeout, configuration.bodyTimeout, configuration.idleTimeout,
            configuration.writeTimeout, configuration.handlerTimeout, .seconds(10))
    }

    /// Runs until the workers shall end.
    func run() {
        var drain: Drain?
        while engine.stage != .exiting {
            let now = BootInstant.now
            engine.lifecycle.plan(now.advanced(by: shortestTimeout))
            if drain == nil, engine.stage >= .draining { drain = beginDrain(now) }
            var next = scan(now)
            if let end = engine.acceptor.resume(at: now) { next = min(next, end) }
            if drain != nil { next = min(next, advance(&drain!, now)) }
            guard engine.stage != .exiting else { return }
            engine.lifecycle.sleep(until: next)
        }
    }

    /// Ends what is past its deadline; returns the earliest deadline that is left.
    private func scan(_ now: BootInstant) -> BootInstant {
        var next = now.advanced(by: shortestTimeout)
        let closesIdle = engine.stage >= .closing
        for index in 0..<engine.table.scanLimit {
            switch engine.table.withSlot(index, { judge(&$0, index, now, closesIdle) }) {
            case .wait(let deadline): next = min(next, deadline)
            case .called(let isTimeout):
                if isTimeout { engine.counters.count(engine.counters.timeouts) }
                // Whoever is called and does not come has a second.
                next = min(next, now.advanced(by: .seconds(1)))
            case .closed(let timedOut, let waiting):
                if timedOut { engine.counters.count(engine.counters.timeouts) }
                engine.released(index)
                finish(waiting, timedOut: timedOut)
            case .overrun(let worker, let request):
                engine.counters.count(engine.counters.timeouts)
                let consequence = engine.stage == .serving ? replace(worker) : "the server is stopping"
                // The answer went out in this very moment: nobody was cut.
                guard let request else { continue }
                request.context.cancel()
                report(request, "its connection was cut; \(consequence)", worker: worker)
                engine.cut(request, 504)
            }
        }
        return next
    }

    private enum Outcome {
        case wait(BootInstant)
        /// A worker comes and sees for itself.
        case called(isTimeout: Bool)
        case closed(timedOut: Bool, ConnectionState.Waiting)
        case overrun(worker: Int, ConnectionState.Unanswered?)
    }

    /// Does at once what has to be done under the slot's lock.
    private func judge(
        _ slot: inout ConnectionTable.Slot, _ index: Int, _ now: BootInstant, _ closesIdle: Bool
    ) -> Outcome {
        let judgement = slot.state.judge(now, closesIdle: closesIdle)
        switch judgement {
        case .wait(let deadline): return .wait(deadline)
        case .call, .callForBeat, .shutDownAndCall:
            // Nothing more can be sent: who is called finds it out.
            if case .shutDownAndCall = judgement { cplatform_shutdown(slot.fd) }
            crew.raise(.connection(slot: index, generation: slot.state.generation))
            if case .callForBeat = judgement { return .called(isTimeout: false) }
            return .called(isTimeout: true)
        case .close(let isDue, let waiting):
            // Bytes that came this very moment: a worker is on its way.
            var byte: UInt8 = 0
            if !isDue, recv(slot.fd, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 1 {
                return .wait(BootInstant(nanoseconds: .max))
            }
            close(slot.fd)
            slot.free()
            return .closed(timedOut: isDue, waiting)
        case .overrun(let worker, let request):
            // Never close here: the descriptor is the worker's until it comes back.
            cplatform_shutdown(slot.fd)
            return .overrun(worker: worker, request)
        }
    }

    /// Ends what has waited with a connection that is closed now.
    private func finish(_ waiting: ConnectionState.Waiting, timedOut: Bool) {
        waiting.exchange?.cancel()
        guard let (request, status) = waiting.unanswered else { return }
        if timedOut, case .handler = waiting { report(request, "its connection was closed and its task cancelled") }
        engine.cut(request, status)
    }

    /// Gives a worker that is stuck a deputy; returns what came of it, for the log.
    private func replace(_ worker: Int) -> String {
        switch crew.replace(worker) {
        case .started:
            "another worker takes the place of its own until it returns"
        case .known: "another worker has taken the place of its own"
        case .tooMany(let stuck):
            "\(stuck) workers were replaced already, its own is not: find what the handlers wait for, and restart the "
                + "server if they do not return"
        case .failed(let code):
            "no worker can take the place of its own: \(String(cString: strerror(code)))"
        }
    }

    /// Names a handler that took too long. A line each: of those that hold a worker there are no more than workers within a
    /// handler timeout.
    private func report(_ request: ConnectionState.Unanswered, _ consequence: String, worker: Int? = nil) {
        let context = request.context
        let age = request.startedAt.duration(to: .now)
        var metadata: Logger.Metadata = [
            "method": "\(context.string(of: "REQUEST_METHOD").map(LogText.clean) ?? "-")",
            "path": "\(LogText.clean(context.sentPath))",
            "request_id": "\(context.string(of: "REQUEST_ID").map(LogText.clean) ?? "-")",
            "age": "\(age.milliseconds) ms",
        ]
        if let worker { metadata["worker"] = "\(worker)" }
        engine.logger.error("a handler ran past its deadline (handlerTimeout): \(consequence)", metadata: metadata)
    }

    // MARK: Stopping

    private struct Drain {
        /// Idle connections are closed from here on.
        let idleEnd: BootInstant
        var end: BootInstant
        /// Requests that were cut at its end.
        var cut = 0
    }

    private func beginDrain(_ now: BootInstant) -> Drain {
        engine.stopAccepting()
        let grace = engine.active.now.pointee.values.shutdownGrace
        engine.logger.notice(
            "stopping: no new connections, \(engine.table.openCount) open ones are answered within \(grace)"
        )
        for index in 0..<engine.table.scanLimit {
            engine.table.withSlot(index) { $0.state.waiting.exchange }?.stopStream()
        }
        engine.handOver(idle: 0..<engine.table.scanLimit)
        return Drain(
            idleEnd: now.advanced(by: min(grace / 2, ConnectionState.quiet)), end: now.advanced(by: grace))
    }

    /// Takes the next step of stopping when it is due; returns when to look again.
    private func advance(_ drain: inout Drain, _ now: BootInstant) -> BootInstant {
        // The clients of handlers that do not come back were cut: nobody waits for those.
        if engine.lifecycle.isHurried { drain.end = min(drain.end, now) }
        let isDone = engine.table.openCount <= crew.count.stuck && engine.counters.tasks.load(ordering: .relaxed) == 0
        if isDone || now >= drain.end.advanced(by: Self.farewell) { return end(drain, now) }
        if now >= drain.end {
            // Again and again: a worker may hold what is to be cut. What tasks do at their end is done on the workers.
            let (count, isAnyHeld) = cutWhatIsLeft()
            drain.cut += count
            if !isAnyHeld, engine.counters.tasks.load(ordering: .relaxed) == 0 { return end(drain, now) }
            return now.advanced(by: .milliseconds(10))
        }
        if now >= drain.idleEnd {
            if engine.lifecycle.advance(to: .closing) { return now }
            return drain.end
        }
        return drain.idleEnd
    }

    /// How long tasks may take that were cancelled at the end of the grace.
    private static let farewell = Duration.seconds(1)

    /// Closes what is idle and cuts what runs.
    ///
    /// - Returns: How many requests that ended, and whether a worker holds a connection that is to be looked at again.
    private func cutWhatIsLeft() -> (count: Int, isAnyHeld: Bool) {
        var count = 0
        var isAnyHeld = false
        for index in 0..<engine.table.scanLimit {
            let cut = engine.table.withSlot(index) { slot in
                isAnyHeld = isAnyHeld || slot.state.phase == .held
                let cut = slot.state.cut()
                switch cut {
                case .none: break
                case .running: cplatform_shutdown(slot.fd)
                case .idle:
                    close(slot.fd)
                    slot.free()
                }
                return cut
            }
            switch cut {
            case .none: continue
            case .running(_, let request):
                count += 1
                request?.context.cancel()
                if let request { engine.cut(request, 503) }
            case .idle(let waiting):
                engine.released(index)
                waiting.exchange?.cancel()
                guard let (request, _) = waiting.unanswered else { continue }
                count += 1
                engine.cut(request, 503)
            }
        }
        return (count, isAnyHeld)
    }

    /// Ends the workers, and so the server.
    private func end(_ drain: Drain, _ now: BootInstant) -> BootInstant {
        if drain.cut > 0 {
            engine.logger.warning("the shutdown grace is over: \(drain.cut) requests were cut (shutdownGrace)")
        }
        engine.lifecycle.advance(to: .exiting)
        engine.poller.end()
        return now
    }
}
