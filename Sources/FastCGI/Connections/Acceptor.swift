internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// Takes connections from the listeners into free slots of the table.
///
/// Threading: any thread.
final class Acceptor: Sendable {
    let listeners: [Listener]
    private let table: ConnectionTable
    private let poller: Poller
    private let lifecycle: Lifecycle
    private let counters: ServerCounters
    private let refusals: RefusalLog
    private struct Paused {
        var listeners: Set<Int> = []
        var end = BootInstant(nanoseconds: 0)
    }

    /// Listeners that wait for a free slot or a free descriptor.
    private let paused = Locked(Paused())
    private let hasPaused = Atomic<Bool>(false)

    init(
        _ listeners: [Listener], into table: ConnectionTable, _ poller: Poller, _ lifecycle: Lifecycle,
        _ counters: ServerCounters, _ refusals: RefusalLog
    ) {
        self.listeners = listeners
        self.table = table
        self.poller = poller
        self.lifecycle = lifecycle
        self.counters = counters
        self.refusals = refusals
    }

    func start() throws(ConfigurationError) {
        for (index, listener) in listeners.enumerated() {
            guard poller.watch(listener: listener.fd, index) else {
                throw ConfigurationError(
                    field: "listener",
                    reason: "\(listener.name) cannot be watched: \(String(cString: strerror(errno)))",
                    remedy: "name each listener once"
                )
            }
        }
    }

    /// Ends accepting. Connections that wait in the backlog of a socket of our own are handed over first: nobody else will
    /// take them.
    func stop(_ take: (_ slot: Int, _ fd: Int32) -> Void) {
        for (index, listener) in listeners.enumerated() {
            poller.forget(listener.fd)
            listener.releaseClaim()
            guard !listener.isInherited else { continue }
            listener.removeFile()
            drain: while true {
                switch accept(index) {
                case .connection(let slot, let fd): take(slot, fd)
                case .refused: continue
                case .none, .exhausted: break drain
                }
            }
            listener.refuseConnections()
        }
    }

    /// Takes the connections that a predecessor has left to the listeners.
    ///
    /// - Parameter take: Gets each in a slot, which it holds.
    func takeOver(_ take: (_ slot: Int) -> Void) {
        for listener in listeners {
            for fd in listener.takeConnections() {
                // The allow list may be another one now.
                guard listener.allowed.objection(to: fd, isTCP: listener.isTCP) == nil, let slot = table.reserve()
                else {
                    close(fd)
                    continue
                }
                table.withSlot(slot) { $0.open(fd, hasServed: true) }
                take(slot)
            }
        }
    }

    /// What became of one attempt to accept.
    enum Accepted {
        /// In a slot that the caller holds now.
        case connection(slot: Int, fd: Int32)
        /// Nothing was waiting.
        case none
        /// What was waiting has gone, or may not come in.
        case refused
        /// No slot or no descriptor is free, or the listener is broken: to be tried again later.
        case exhausted
    }

    func accept(_ index: Int) -> Accepted {
        guard let slot = table.reserve() else { return .exhausted }
        let listener = listeners[index]
        let fd = cplatform_accept(listener.fd)
        guard fd >= 0 else {
            let failure = errno
            table.release(slot)
            switch failure {
            case EAGAIN: return .none
            // Of the one connection that was taken: accept(2) passes on what went wrong on its way.
            case ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
                EPERM:
                return .refused
            default:
                let isShort = [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(failure)
                refusals.log(
                    "accept",
                    "cannot accept connections on \(listener.name): \(String(cString: strerror(failure)))"
                        + (isShort ? "; raise LimitNOFILE" : ""))
                return .exhausted
            }
        }
        if let objection = listener.allowed.objection(to: fd, isTCP: listener.isTCP) {
            counters.count(counters.refusedPeers)
            refusals.log("peer", "refused a connection on \(listener.name): \(objection)")
            close(fd)
            table.release(slot)
            return .refused
        }
        if listener.isTCP {
            var on: Int32 = 1
            setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        counters.count(counters.accepted)
        table.withSlot(slot) { $0.open(fd) }
        return .connection(slot: slot, fd: fd)
    }

    // MARK: Watching

    /// Has a worker called for the next connection.
    func rearm(_ index: Int) {
        guard lifecycle.stage == .serving else { return }
        poller.rearm(listener: listeners[index].fd, index)
    }

    /// Leaves a listener unwatched until a connection is closed, or for a second: descriptors may be had from elsewhere.
    func pause(_ index: Int) {
        paused.withLock { paused in
            if paused.listeners.isEmpty { paused.end = .now.advanced(by: .seconds(1)) }
            paused.listeners.insert(index)
        }
        hasPaused.store(true, ordering: .releasing)
        lifecycle.callWatchdog()
    }

    func resume() {
        guard hasPaused.load(ordering: .acquiring) else { return }
        hasPaused.store(false, ordering: .releasing)
        let indices = paused.withLock { paused in
            defer { paused.listeners = [] }
            return paused.listeners
        }
        for index in indices { rearm(index) }
    }

    /// Resumes what has paused long enough; returns when to look again, if ever.
    func resume(at now: BootInstant) -> BootInstant? {
        guard hasPaused.load(ordering: .acquiring) else { return nil }
        let end = paused.withLock { $0.end }
        guard end <= now else { return end }
        resume()
        return nil
    }
}
