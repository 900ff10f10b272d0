internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import RESP

/// The thread of a ``HandlerServer``: waits for its connections and lets each go on.
///
/// For one thread.
final class HandlerLoop {
    private let configuration: HandlerServer.Configuration
    private let service: HandlerConversation.Service
    private let inbox: HandlerInbox
    private let listener: HandlerListener
    private let peers: AllowedPeers
    private let throttle = LogThrottle()
    private var connections: [UInt64: HandlerConnection] = [:]
    private var polled: [pollfd] = []
    /// Whose the descriptors after the first two are.
    private var owners: [UInt64] = []
    /// Nobody is taken on until then: there were no descriptors.
    private var pausesUntil: BootInstant?
    /// Set once it is to end: until then pages that are under way may go on.
    private var drainsUntil: BootInstant?

    init(
        _ configuration: HandlerServer.Configuration, store: MemoryStore, inbox: HandlerInbox,
        listener: HandlerListener,
        peers: AllowedPeers
    ) {
        self.configuration = configuration
        self.inbox = inbox
        self.listener = listener
        self.peers = peers
        service = HandlerConversation.Service(
            store: store, prefix: configuration.prefix, password: configuration.password)
    }

    /// Serves until the inbox is closed, and then pages that are under way.
    func run() {
        while !isDone {
            prepare()
            let count = poll(&polled, nfds_t(polled.count), timeout())
            if count < 0, errno != EINTR { usleep(10_000) }
            if polled[0].revents != 0 {
                let (granted, settled) = inbox.take()
                for owner in granted { connections[owner]?.lockMayBeGranted() }
                for (owner, isSettled) in settled { connections[owner]?.settle(isSettled) }
                if inbox.isClosing, drainsUntil == nil {
                    drainsUntil = .now.advanced(by: configuration.drainTimeout)
                    listener.end()
                }
            }
            if count > 0 {
                for (index, owner) in owners.enumerated() where polled[index + 2].revents != 0 {
                    connections[owner]?.handle(polled[index + 2].revents)
                }
            }
            attend()
            if count > 0, polled[1].revents != 0, drainsUntil == nil { accept() }
            for owner in connections.filter({ $0.value.isOver }).keys { connections[owner] = nil }
        }
        connections = [:]
        listener.end()
    }

    private var isDone: Bool {
        guard let drainsUntil else { return false }
        return drainsUntil <= .now || !connections.values.contains(where: \.isUnderWay)
    }

    private func prepare() {
        polled.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
        polled.append(pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0))
        if let until = pausesUntil, until <= .now { pausesUntil = nil }
        let takesConnections = pausesUntil == nil && drainsUntil == nil
        polled.append(pollfd(fd: takesConnections ? listener.descriptor : -1, events: Int16(POLLIN), revents: 0))
        for (owner, connection) in connections {
            owners.append(owner)
            polled.append(pollfd(fd: connection.descriptor, events: connection.events, revents: 0))
        }
    }

    /// Milliseconds until something is due; -1: nothing is.
    private func timeout() -> Int32 {
        var next = [pausesUntil, drainsUntil].compactMap { $0 }.min()
        for connection in connections.values {
            var due = connection.lockDeadline
            if let lock = connection.awaitedLock, let expiry = service.store.lockExpiry(of: lock) {
                due = min(due ?? expiry, expiry)
            }
            if connection.isStalled {
                let end = connection.lastProgress.advanced(by: configuration.stallTimeout)
                due = min(due ?? end, end)
            }
            if let due { next = min(next ?? due, due) }
        }
        guard let next else { return -1 }
        // Rounded up, so that it is due then.
        let left = max(0, BootInstant.now.duration(to: next).nanoseconds)
        return Int32(clamping: (left + 999_999) / 1_000_000)
    }

    /// What time brings.
    private func attend() {
        let now = BootInstant.now
        for connection in connections.values where !connection.isOver {
            if let lock = connection.awaitedLock, let expiry = service.store.lockExpiry(of: lock), expiry <= now {
                // Whoever is next is told by the inbox.
                service.store.expire(lock)
            }
            if let deadline = connection.lockDeadline, deadline <= now { connection.giveUpLock() }
            if connection.isStalled, connection.lastProgress.duration(to: now) >= configuration.stallTimeout {
                connection.end()
                warn("stalled", "a connection of PHP's has sent half of a command, or reads no answer: it is closed")
            }
        }
    }

    private func accept() {
        // As many as there may be; the kernel keeps the others for a moment.
        for _ in 0..<64 {
            let fd = cplatform_accept(listener.descriptor)
            if fd < 0 {
                guard errno != EAGAIN else { return }
                if errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS {
                    pausesUntil = .now.advanced(by: .milliseconds(100))
                    warn("descriptors", "no connection of PHP's can be taken on: raise the limit of open files")
                    return
                }
                continue
            }
            if let objection = peers.objection(to: fd, isTCP: false) {
                refuse(fd, "NOPERM \(objection)")
                warn("peer", "a connection to \(configuration.name) was refused: \(objection)")
            } else if connections.count >= configuration.maxConnections {
                refuse(fd, "ERR max number of clients reached")
                warn("connections", "PHP has more than \(configuration.maxConnections) connections: others are refused")
            } else {
                let owner = service.store.makeOwner()
                let conversation = HandlerConversation(
                    service, owner: owner, awaiting: HandlerInbox.Waiter(inbox, owner: owner))
                connections[owner] = HandlerConnection(
                    descriptor: fd, conversation, settled: { [inbox] in inbox.settle(owner, $0) },
                    commandBytes: service.store.configuration.maxSessionBytes + 4_096,
                    patience: configuration.lockPatience)
            }
        }
    }

    private func refuse(_ fd: Int32, _ reason: String) {
        var writer = RESPWriter()
        writer.value(.error(RESPErrorReply(reason)))
        _ = writer.bytes.withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        close(fd)
    }

    private func warn(_ kind: String, _ message: String) {
        guard let suppressed = throttle.pass(kind) else { return }
        configuration.logger.warning(
            "\(message)", metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
    }
}
