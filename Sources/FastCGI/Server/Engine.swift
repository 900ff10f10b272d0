internal import GalletaPlatform
internal import Glibc
internal import Logging

/// What the workers, the watchdog and the server share.
///
/// Threading: any thread.
final class Engine: Sendable {
    let active: ActiveConfiguration
    let logger: Logger
    let dispatcher: Server.Dispatcher
    let admission: Server.Admission?
    private let observer: Server.Observer?
    let lifecycle: Lifecycle
    let poller: Poller
    let acceptor: Acceptor
    let table: ConnectionTable
    let handover = Handover()
    let counters = ServerCounters()
    let refusals: RefusalLog
    let startedAt = BootInstant.now
    let latency = LatencyRecorder()
    let refusedHeadKinds = Locked<[String: Int]>([:])

    init(
        configuration: Server.Configuration,
        listeners: [Listener],
        logger: Logger,
        observer: Server.Observer?,
        admission: Server.Admission?,
        dispatcher: @escaping Server.Dispatcher
    ) throws(ConfigurationError) {
        active = ActiveConfiguration(configuration)
        self.logger = logger
        self.observer = observer
        self.admission = admission
        self.dispatcher = dispatcher
        table = ConnectionTable(capacity: configuration.maxConnections)
        refusals = RefusalLog(logger: logger)
        lifecycle = try Lifecycle()
        poller = try Poller()
        acceptor = Acceptor(listeners, into: table, poller, lifecycle, counters, refusals)
    }

    var stage: Lifecycle.Stage { lifecycle.stage }

    /// Whether there is a slow log.
    var isTimed: Bool { active.now.pointee.values.slowRequestTime != nil }

    /// Whether connections are kept after an answer, here or by a successor.
    func isServing() -> Bool { lifecycle.stage == .serving || handover.isOpen }

    func newExchange() -> Exchange {
        let configuration = active.now.pointee
        return Exchange(
            configuration.values, version: configuration.number, admission: admission, logger: logger,
            counters: counters)
    }

    // MARK: Summaries

    /// An answer has gone out, or never will: tells the observer.
    func end(_ request: ConnectionState.Unanswered, _ status: Int, wasSent: Bool) {
        if !wasSent { counters.count(counters.failedWrites) }
        summarize(request, status, wasSent: wasSent)
    }

    /// As ``end(_:_:wasSent:)``, of a request that a worker may still be at.
    func cut(_ request: ConnectionState.Unanswered, _ status: Int) {
        defer { request.context.endLook() }
        end(request, status, wasSent: false)
    }

    /// As ``end(_:_:wasSent:)``, of a request whose peer has gone before its answer began.
    func endLost(_ exchange: Exchange) {
        end(ConnectionState.Unanswered(exchange), RequestSummary.peerHasGone, wasSent: false)
    }

    /// As ``end(_:_:wasSent:)``, of a request whose head was refused: answered with a status, or closed without.
    func endRefused(
        _ request: ConnectionState.Unanswered, _ refusal: RequestCheck.Refusal, _ status: Int?, wasSent: Bool
    ) {
        summarize(request, status ?? 400, wasSent: wasSent && status != nil)
        let what = status.map { "answered \($0) and closed a connection" } ?? "closed a connection"
        refusedHeadKinds.withLock { $0[refusal.rawValue, default: 0] += 1 }
        refusals.log(refusal.rawValue, "\(what): \(refusal.rawValue)")
    }

    private func summarize(_ request: ConnectionState.Unanswered, _ status: Int, wasSent: Bool) {
        let now = BootInstant.now
        let duration = request.startedAt.duration(to: now)
        latency.record(duration.nanoseconds, status: status, at: now)
        if request.context.isTimed { logIfSlow(request, status, at: now) }
        observer?(
            RequestSummary(
                context: request.context,
                startedAt: request.startedAt,
                status: status,
                duration: duration,
                wasSent: wasSent
            )
        )
    }

    /// Logs where the time of a request went, if that was long.
    private func logIfSlow(_ request: ConnectionState.Unanswered, _ status: Int, at now: BootInstant) {
        let context = request.context
        guard let limit = active.now.pointee.values.slowRequestTime, let times = context.live.withLock({ $0.times })
        else {
            return
        }
        let parts = times.parts(from: request.startedAt, to: now)
        guard parts.total >= limit.nanoseconds else { return }
        counters.count(counters.slowRequests)
        logger.warning(
            "slow request",
            metadata: [
                "request_id": "\(context.string(of: "REQUEST_ID").map(LogText.clean) ?? "-")",
                "method": "\(LogText.clean(context.string(of: "REQUEST_METHOD") ?? "-"))",
                "path": "\(LogText.clean(context.sentPath))", "route": "\(times.route.map(LogText.clean) ?? "-")",
                "status": "\(status)", "total_ms": "\(Self.milliseconds(parts.total))",
                "wait_ms": "\(Self.milliseconds(parts.wait))", "body_ms": "\(Self.milliseconds(parts.body))",
                "handler_ms": "\(Self.milliseconds(parts.handler))", "store_ms": "\(Self.milliseconds(parts.store))",
                "send_ms": "\(Self.milliseconds(parts.send))",
            ])
    }

    /// With three decimals.
    private static func milliseconds(_ nanoseconds: Int64) -> String {
        let rest = String(nanoseconds / 1_000 % 1_000)
        return "\(nanoseconds / 1_000_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    // MARK: Connections

    /// Ends accepting; what waited in a backlog waits with the others now.
    func stopAccepting() {
        acceptor.stop { slot, _ in
            if case .mustClose = park(slot: slot, .request) { close(slot: slot) }
        }
    }

    /// Opens a connection from within the process; see ``Server/connect()``.
    func connect() throws(ConfigurationError) -> Int32 {
        guard let slot = table.reserve() else {
            throw ConfigurationError(
                field: "maxConnections", reason: "\(table.capacity) connections are open", remedy: "raise it")
        }
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            table.release(slot)
            throw ConfigurationError(
                field: "open files",
                reason: "no descriptors are left",
                remedy: "raise the limit (ulimit -n, LimitNOFILE=)"
            )
        }
        counters.count(counters.accepted)
        table.withSlot(slot) { $0.open(ends[1]) }
        // Of a server that ends the caller finds its connection closed.
        if case .mustClose = park(slot: slot, .request) { close(slot: slot) }
        return ends[0]
    }

    /// Closes a connection that the caller holds, and frees its slot.
    func close(slot: Int) {
        table.withSlot(slot) { slot in
            Glibc.close(slot.fd)
            slot.free()
        }
        released(slot)
    }

    /// After a slot became free.
    func released(_ slot: Int) {
        table.release(slot)
        acceptor.resume()
        if stage != .serving { lifecycle.callWatchdog() }
    }

    enum Parked {
        case parked
        /// Something came while the connection was held.
        case lookAgain
        case mustClose
    }

    /// Lets a connection wait, unless the caller must look at it again, or close it.
    ///
    /// - Parameter isReadable: Bytes may be waiting that raised their event already: if so, another one is raised.
    func park(slot index: Int, _ waiting: ConnectionState.Waiting, isReadable: Bool = false) -> Parked {
        let now = BootInstant.now
        let stage = self.stage
        var deadline = BootInstant(nanoseconds: .max)
        defer { lifecycle.look(by: deadline) }
        return table.withSlot(index) { slot in
            defer { deadline = slot.state.deadline }
            switch slot.state.park(waiting, isReadable: isReadable, stage: stage, now: now, active.now.pointee.values) {
            case .parked: return .parked
            case .lookAgain: return .lookAgain
            case .mustClose: return .mustClose
            case .watch(let interest, let isNew):
                // Under the lock: until it is released nobody can close this descriptor.
                let key = EventKey.connection(slot: index, generation: slot.state.generation)
                guard poller.watch(slot.fd, interest, isNew: isNew, key) else {
                    slot.state.takeBack()
                    return .mustClose
                }
                return .parked
            }
        }
    }
}
