internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging

/// The thread that keeps time: it ends what is past its deadline, and a stopping server's stages.
///
/// It sleeps until the next deadline. A deadline set meanwhile is at least one whole timeout away, so sleeping no longer
/// than the shortest timeout misses none; an idle server wakes a few times a minute.
final class Watchdog: Sendable {
    private let engine: Engine
    private let crew: Crew
    private let shortestTimeout: Duration

    /// A connection that was not used for so long is hardly used in the very moment in which it is closed.
    private static let quiet = Duration.seconds(1)

    init(engine: Engine, crew: Crew) {
        self.engine = engine
        self.crew = crew
        let configuration = engine.configuration
        shortestTimeout = min(
            configuration.headTimeout, configuration.bodyTimeout, configuration.idleTimeout,
            configuration.writeTimeout, configuration.handlerTimeout)
    }

    /// Runs until the workers shall end.
    func run() {
        var drain: Drain?
        while engine.stage != .exiting {
            let now = BootInstant.now
            if drain == nil, engine.stage >= .draining { drain = beginDrain(now) }
            var next = scan(now)
            if engine.isPaused {
                engine.resumeListeners()
                next = min(next, now.advanced(by: .seconds(1)))
            }
            if let drain { next = min(next, advance(drain, now)) }
            guard engine.stage != .exiting else { return }
            wait(until: next, now)
        }
    }

    /// Ends what is past its deadline; returns the earliest deadline that is left.
    private func scan(_ now: BootInstant) -> BootInstant {
        var next = now.advanced(by: shortestTimeout)
        let closesIdle = engine.stage >= .closing
        for index in 0..<engine.table.scanLimit {
            switch engine.table.withSlot(index, { judge(&$0, index, now, closesIdle) }) {
            case .wait(let deadline): next = min(next, deadline)
            case .overdue(let deadline):
                engine.counters.count(engine.counters.timeouts)
                next = min(next, deadline)
            case .closed(let timedOut, let lost):
                if timedOut { engine.counters.count(engine.counters.timeouts) }
                engine.released(index)
                if let (request, status) = lost {
                    engine.end(request.context, request.startedAt, status, wasSent: false)
                }
            case .overrun(let worker, let request):
                engine.counters.count(engine.counters.timeouts)
                crew.cancelRunning(worker)
                let consequence = engine.stage == .serving ? replace(worker) : "the server is stopping"
                // The answer went out in this very moment: nobody was cut.
                guard let request else { continue }
                report(request, worker, consequence)
                engine.end(request.context, request.startedAt, 504, wasSent: false)
            }
        }
        return next
    }

    /// Gives a worker that is stuck a deputy; returns what came of it, for the log.
    private func replace(_ worker: Int) -> String {
        switch crew.replace(worker) {
        case .started:
            "another worker takes the place of its own until it returns"
        case .tooMany(let stuck):
            "\(stuck) workers were replaced already, its own is not: find what the handlers wait for, and restart the "
                + "server if they do not return"
        case .failed(let code):
            "no worker can take the place of its own: \(String(cString: strerror(code)))"
        }
    }

    /// Names a handler that is stuck. A line each: there are no more of them than workers within a handler timeout.
    private func report(_ request: ConnectionTable.Unanswered, _ worker: Int, _ consequence: String) {
        let context = request.context
        let age = request.startedAt.duration(to: .now)
        engine.logger.error(
            "a handler ran past its deadline (handlerTimeout) and its connection was cut; \(consequence)",
            metadata: [
                "method": "\(context.string(of: "REQUEST_METHOD").map(LogText.clean) ?? "-")",
                "path": "\(LogText.clean(context.sentPath))",
                "request_id": "\(context.string(of: "REQUEST_ID").map(LogText.clean) ?? "-")",
                "worker": "\(worker)",
                "age": "\(age.milliseconds) ms",
            ])
    }

    private enum Judgement {
        case wait(BootInstant)
        /// A worker was called to answer a request whose body stopped coming.
        case overdue(BootInstant)
        case closed(timedOut: Bool, lost: (ConnectionTable.Unanswered, status: Int)?)
        case overrun(worker: Int, ConnectionTable.Unanswered?)
    }

    private func judge(
        _ slot: inout ConnectionTable.Slot, _ index: Int, _ now: BootInstant, _ closesIdle: Bool
    ) -> Judgement {
        switch slot.phase {
        case .free, .head, .overrun: return .wait(BootInstant(nanoseconds: .max))
        case .idle:
            let isDue = slot.deadline <= now
            if closesIdle, case .head(let intake) = slot.waiting {
                // A stop waits for the rest of a head as long as one may be under way, not until its deadline.
                let end = intake.headBegin.advanced(by: Self.quiet)
                guard isDue || end <= now else { return .wait(end) }
            } else {
                guard isDue || (closesIdle && slot.waiting.isForRequest) else { return .wait(slot.deadline) }
            }
            if case .room = slot.waiting, !slot.isOverdue {
                // Wakes a worker, which finds that nothing more can be sent, and says so.
                slot.isOverdue = true
                slot.deadline = now.advanced(by: .seconds(1))
                cplatform_shutdown(slot.fd)
                return .overdue(slot.deadline)
            }
            if case .body = slot.waiting, !slot.isOverdue {
                // The client shall read why; where the connection takes no answer, it is closed the next time.
                slot.isOverdue = true
                slot.deadline = now.advanced(by: .seconds(1))
                let key = EventKey.connection(slot: index, generation: slot.generation)
                slot.isWatchedForRoom = cplatform_epoll_poke(engine.epoll, slot.fd, key.packed) == 0
                return .overdue(slot.deadline)
            }
            // Bytes that came this very moment: a worker is on its way.
            var byte: UInt8 = 0
            if !isDue, recv(slot.fd, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 1 {
                return .wait(BootInstant(nanoseconds: .max))
            }
            let wasCounted = slot.isOverdue
            let lost = slot.waiting.unanswered
            close(slot.fd)
            slot.free()
            return .closed(timedOut: isDue && !wasCounted, lost: lost)
        case .running:
            guard slot.deadline <= now else { return .wait(slot.deadline) }
            // Never close here: the descriptor is the worker's until it comes back.
            cplatform_shutdown(slot.fd)
            slot.phase = .overrun
            return .overrun(worker: slot.worker, slot.unanswered.take())
        }
    }

    // MARK: Stopping

    private struct Drain {
        /// Idle connections are closed from here on.
        let idleEnd: BootInstant
        let end: BootInstant
    }

    private func beginDrain(_ now: BootInstant) -> Drain {
        engine.forgetListeners()
        let grace = engine.configuration.shutdownGrace
        engine.logger.notice(
            "stopping: no new connections, \(engine.table.openCount) open ones are answered within \(grace)"
        )
        return Drain(idleEnd: now.advanced(by: min(grace / 2, Self.quiet)), end: now.advanced(by: grace))
    }

    /// Takes the next step of stopping when it is due; returns when to look again.
    private func advance(_ drain: Drain, _ now: BootInstant) -> BootInstant {
        // The clients of handlers that do not come back were cut: nobody waits for those.
        if engine.table.openCount <= crew.count.stuck {
            engine.advance(to: .exiting)
            return now
        }
        if now >= drain.end {
            cutRunning()
            engine.advance(to: .exiting)
            return now
        }
        if now >= drain.idleEnd {
            if engine.advance(to: .closing) { return now }
            return drain.end
        }
        return drain.idleEnd
    }

    private func cutRunning() {
        var count = 0
        for index in 0..<engine.table.scanLimit {
            typealias Cut = (isCut: Bool, worker: Int?, request: ConnectionTable.Unanswered?)
            let cut: Cut = engine.table.withSlot(index) { slot in
                switch (slot.phase, slot.waiting) {
                case (.running, _):
                    cplatform_shutdown(slot.fd)
                    slot.phase = .overrun
                    return (true, slot.worker, slot.unanswered.take())
                case (.idle, .body), (.idle, .room):
                    cplatform_shutdown(slot.fd)
                    return (true, nil, nil)
                default: return (false, nil, nil)
                }
            }
            if let worker = cut.worker { crew.cancelRunning(worker) }
            if let request = cut.request { engine.end(request.context, request.startedAt, 503, wasSent: false) }
            if cut.isCut { count += 1 }
        }
        if count > 0 {
            engine.logger.warning("the shutdown grace is over: \(count) requests were cut (shutdownGrace)")
        }
    }

    private func wait(until next: BootInstant, _ now: BootInstant) {
        let milliseconds = max(0, now.duration(to: next).nanoseconds / 1_000_000 + 1)
        var descriptor = pollfd(fd: engine.watchdogSignal, events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0 {
            cplatform_eventfd_clear(engine.watchdogSignal)
        }
    }
}
