import CPlatform
import GalletaPlatform
import Glibc

/// The thread of a ``RedisProxy``: accepts, passes on, closes.
final class RedisProxyLoop: @unchecked Sendable {
    // Safe: made by one thread, then used by the proxy's own alone.
    private let listeners: [Int32]
    private let wake: Int32
    private let shared: Monitor<RedisProxy.Shared>
    private let connect: @Sendable () throws -> StreamSocket
    private var connections: [RedisProxyConnection] = []

    /// - Parameters:
    ///   - listeners: The loop closes them.
    ///   - wake: An event counter: signalled when `shared` has changed.
    ///   - connect: Makes a connection to the server.
    init(
        listeners: [Int32], wake: Int32, shared: Monitor<RedisProxy.Shared>,
        connect: @escaping @Sendable () throws -> StreamSocket
    ) {
        (self.listeners, self.wake, self.shared, self.connect) = (listeners, wake, shared, connect)
        // A client that is gone before it is accepted must not stop the loop.
        for listener in listeners { _ = fcntl(listener, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        for listener in listeners { close(listener) }
    }

    func run() {
        while true {
            let state = shared.withLock { state in
                defer { state.closesAll = false }
                return state
            }
            if state.closesAll || state.isStopping {
                for connection in connections { connection.end() }
                connections = []
            }
            shared.withLock { $0.changesDone = state.changes }
            shared.wake()
            if state.isStopping { break }
            let now = BootInstant.now
            var traffic = (requests: 0, replies: 0)
            connections.removeAll { connection in
                let count = connection.transfer(state.mode, since: state.modeChanges, now: now, connect: connect)
                traffic.requests += count.requests
                traffic.replies += count.replies
                return connection.isFinished
            }
            shared.withLock {
                $0.requestBytes += traffic.requests
                $0.replyBytes += traffic.replies
                $0.openConnections = connections.count { $0.hasClient }
            }
            wait(state.mode, now: now)
        }
    }

    /// Waits until something can be done, and takes new connections.
    private func wait(_ mode: RedisProxy.Mode, now: BootInstant) {
        var descriptors = (listeners + [wake]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var timeout: Duration?
        for connection in connections {
            let (interests, due) = connection.interests(mode, now: now)
            descriptors += interests
            if let due { timeout = min(timeout ?? due, due) }
        }
        let milliseconds = timeout.map { Int32(clamping: $0.milliseconds + 1) } ?? -1
        guard poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0 else { return }
        if descriptors[listeners.count].revents != 0 { cplatform_eventfd_clear(wake) }
        for listener in listeners {
            while case let fd = cplatform_accept(listener), fd >= 0 {
                connections.append(RedisProxyConnection(StreamSocket(taking: fd)))
                shared.withLock { $0.connections += 1 }
            }
        }
    }
}
