internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Synchronization

/// What the workers, the watchdog and the server share: the epoll set, the connections, the stage of life.
final class Engine: Sendable {
    let configuration: Server.Configuration
    let listeners: [Listener]
    let logger: Logger
    let dispatcher: Server.Dispatcher
    let admission: Server.Admission?
    let observer: Server.Observer?
    let table: ConnectionTable
    let counters = ServerCounters()
    let refusals: RefusalLog
    let epoll: Int32
    /// Readable once the workers shall end.
    private let exitSignal: Int32
    /// Lets one of the workers that wait go and look around.
    private let nudgeSignal: Int32
    /// Wakes the watchdog.
    let watchdogSignal: Int32
    private let stageValue = Atomic<UInt8>(Stage.serving.rawValue)
    /// Listeners that wait for a free slot or a free descriptor, a bit each.
    private let pausedListeners = Locked<Set<Int>>([])
    private let hasPausedListeners = Atomic<Bool>(false)

    /// The stages only ever go forward.
    enum Stage: UInt8, Comparable {
        /// Connections are accepted and kept.
        case serving
        /// No new connections; kept ones are answered once more, then closed.
        case draining
        /// Idle connections are closed.
        case closing
        /// The workers end.
        case exiting

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    init(
        configuration: Server.Configuration,
        listeners: [Listener],
        logger: Logger,
        observer: Server.Observer?,
        admission: Server.Admission?,
        dispatcher: @escaping Server.Dispatcher
    ) throws(ConfigurationError) {
        self.configuration = configuration
        self.listeners = listeners
        self.logger = logger
        self.observer = observer
        self.admission = admission
        self.dispatcher = dispatcher
        table = ConnectionTable(capacity: configuration.maxConnections)
        refusals = RefusalLog(logger: logger)
        epoll = cplatform_epoll_create()
        exitSignal = cplatform_eventfd()
        nudgeSignal = cplatform_eventfd()
        watchdogSignal = cplatform_eventfd()
        guard epoll >= 0, exitSignal >= 0, nudgeSignal >= 0, watchdogSignal >= 0,
            cplatform_epoll_add_wake(epoll, exitSignal, EventKey.exit.packed) == 0,
            cplatform_epoll_add_nudge(epoll, nudgeSignal, EventKey.nudge.packed) == 0
        else {
            throw ConfigurationError(
                field: "open files",
                reason: "no descriptors are left",
                remedy: "raise the limit (ulimit -n, LimitNOFILE=)"
            )
        }
    }

    deinit {
        for fd in [epoll, exitSignal, nudgeSignal, watchdogSignal] where fd >= 0 { Glibc.close(fd) }
    }

    var stage: Stage { Stage(rawValue: stageValue.load(ordering: .acquiring))! }

    /// Moves to a later stage. False if it is there already or further.
    @discardableResult
    func advance(to next: Stage) -> Bool {
        var current = stageValue.load(ordering: .acquiring)
        while current < next.rawValue {
            let (exchanged, original) = stageValue.compareExchange(
                expected: current, desired: next.rawValue, ordering: .acquiringAndReleasing)
            if exchanged {
                if next == .exiting { cplatform_eventfd_signal(exitSignal) }
                cplatform_eventfd_signal(watchdogSignal)
                return true
            }
            current = original
        }
        return false
    }

    /// Lets one of the workers that wait for events go and look what lies elsewhere.
    func nudge() {
        cplatform_eventfd_signal(nudgeSignal)
    }

    // MARK: Summaries

    /// An answer has gone out, or never will.
    func end(_ context: RequestContext, _ startedAt: BootInstant, _ status: Int, wasSent: Bool) {
        if !wasSent { counters.count(counters.failedWrites) }
        summarize(context, startedAt, status, wasSent: wasSent)
    }

    /// Tells the observer of a request that is over.
    func summarize(_ context: RequestContext, _ startedAt: BootInstant, _ status: Int, wasSent: Bool) {
        observer?(
            RequestSummary(
                context: context,
                startedAt: startedAt,
                status: status,
                duration: startedAt.duration(to: .now),
                wasSent: wasSent
            )
        )
    }

    // MARK: Listeners

    func watchListeners() throws(ConfigurationError) {
        for (index, listener) in listeners.enumerated() {
            guard cplatform_epoll_add_listener(epoll, listener.fd, EventKey.listener(index).packed) == 0 else {
                throw ConfigurationError(
                    field: "listener",
                    reason: "\(listener.name) cannot be watched: \(String(cString: strerror(errno)))",
                    remedy: "name each listener once"
                )
            }
        }
    }

    /// Ends accepting. Connections that wait in the backlog of a socket of our own are taken first: nobody else will.
    func forgetListeners() {
        for (index, listener) in listeners.enumerated() {
            _ = cplatform_epoll_remove(epoll, listener.fd)
            listener.releaseClaim()
            guard !listener.isInherited else { continue }
            listener.removeFile()
            while case .connection(let slot, _) = accept(listener: index) {
                if case .mustClose = park(slot: slot, .request) { close(slot: slot) }
            }
            listener.refuseConnections()
        }
    }

    func rearm(listener index: Int) {
        guard stage == .serving else { return }
        _ = cplatform_epoll_rearm_listener(epoll, listeners[index].fd, EventKey.listener(index).packed)
    }

    /// Leaves a listener unwatched until a connection is closed or the watchdog comes by.
    func pause(listener index: Int) {
        pausedListeners.withLock { _ = $0.insert(index) }
        hasPausedListeners.store(true, ordering: .releasing)
        cplatform_eventfd_signal(watchdogSignal)
    }

    var isPaused: Bool { hasPausedListeners.load(ordering: .acquiring) }

    func resumeListeners() {
        guard isPaused else { return }
        hasPausedListeners.store(false, ordering: .releasing)
        let paused = pausedListeners.withLock { paused in
            defer { paused = [] }
            return paused
        }
        for index in paused { rearm(listener: index) }
    }

    // MARK: Connections

    /// What became of one attempt to accept.
    enum Accepted {
        case connection(slot: Int, fd: Int32)
        /// Nothing was waiting, or what was waiting has gone.
        case none
        /// No slot or no descriptor is free.
        case exhausted
    }

    /// Accepts one connection into a slot that the caller holds then.
    func accept(listener index: Int) -> Accepted {
        guard let slot = table.reserve() else { return .exhausted }
        let listener = listeners[index]
        let fd = cplatform_accept(listener.fd)
        guard fd >= 0 else {
            let failure = errno
            table.release(slot)
            switch failure {
            case EMFILE, ENFILE, ENOMEM, ENOBUFS:
                refusals.log(
                    "accept", "cannot accept connections: \(String(cString: strerror(failure))); raise LimitNOFILE")
                return .exhausted
            default:
                return .none
            }
        }
        if let objection = listener.allowed.objection(to: fd, isTCP: listener.isTCP) {
            counters.count(counters.refusedPeers)
            refusals.log("peer", "refused a connection on \(listener.name): \(objection)")
            Glibc.close(fd)
            table.release(slot)
            return .none
        }
        if listener.isTCP {
            var on: Int32 = 1
            setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        counters.count(counters.accepted)
        table.withSlot(slot) { $0.open(fd) }
        return .connection(slot: slot, fd: fd)
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
        resumeListeners()
        if stage != .serving { cplatform_eventfd_signal(watchdogSignal) }
    }

    /// Hands a connection back to epoll, unless the caller must look at it again, or close it.
    ///
    /// - Parameter isReadable: Bytes may be waiting that raised their event already: if so, another one is raised.
    func park(slot index: Int, _ waiting: ConnectionState.Waiting, isReadable: Bool = false) -> Parked {
        let now = BootInstant.now
        let stage = self.stage
        return table.withSlot(index) { slot in
            switch slot.state.park(waiting, isReadable: isReadable, stage: stage, now: now, configuration) {
            case .parked: return .parked
            case .lookAgain: return .lookAgain
            case .mustClose: return .mustClose
            case .watch(let interest, let isNew):
                // Under the lock: until it is released nobody can close this descriptor.
                let key = EventKey.connection(slot: index, generation: slot.state.generation).packed
                guard watch(slot.fd, interest, isNew, key) else {
                    slot.state.takeBack()
                    return .mustClose
                }
                return .parked
            }
        }
    }

    private func watch(_ fd: Int32, _ interest: ConnectionState.Interest, _ isNew: Bool, _ key: UInt64) -> Bool {
        switch interest {
        case .bytes: (isNew ? cplatform_epoll_add_connection : cplatform_epoll_calm)(epoll, fd, key) == 0
        case .turn: (isNew ? cplatform_epoll_add_eager : cplatform_epoll_poke)(epoll, fd, key) == 0
        case .room: (isNew ? cplatform_epoll_add_room : cplatform_epoll_await_room)(epoll, fd, key) == 0
        }
    }

    enum Parked {
        case parked
        /// Something came while the connection was held.
        case lookAgain
        case mustClose
    }
}

/// What an epoll event is about, packed into its 64 bits.
enum EventKey {
    case exit
    case nudge
    case listener(Int)
    case connection(slot: Int, generation: UInt32)

    private static let listenerMark = UInt32.max
    private static let exitMark = UInt32.max - 1
    private static let nudgeMark = UInt32.max - 2
    /// The highest generation that is told from these.
    static let lastGeneration = UInt32.max - 3

    var packed: UInt64 {
        switch self {
        case .exit: UInt64(Self.exitMark) << 32
        case .nudge: UInt64(Self.nudgeMark) << 32
        case .listener(let index): UInt64(Self.listenerMark) << 32 | UInt64(index)
        case .connection(let slot, let generation): UInt64(generation) << 32 | UInt64(slot)
        }
    }

    init(packed: UInt64) {
        let low = Int(packed & 0xffff_ffff)
        switch UInt32(packed >> 32) {
        case Self.exitMark: self = .exit
        case Self.nudgeMark: self = .nudge
        case Self.listenerMark: self = .listener(low)
        case let generation: self = .connection(slot: low, generation: generation)
        }
    }
}
