import CPlatform
import GalletaPlatform
import Glibc

/// Stands between a client and a Redis server, and passes bytes on in the way that ``mode`` says.
///
/// It knows nothing of Redis's protocol, nor of TLS. It ends with this object, and with it its connections. Safe from any
/// thread.
public final class RedisProxy: Sendable {
    /// What becomes of the bytes; a change takes effect at once, and on open connections as well.
    public enum Mode: Sendable, Equatable {
        /// Each byte goes on at once.
        case forward
        /// Replies take this much longer each.
        case delay(Duration)
        /// Replies come a byte each time.
        case drip(every: Duration)
        /// A connection is closed after so many bytes of replies, counted since the mode was set; with 0, once the server
        /// has answered.
        case cut(afterReplyBytes: Int)
        /// Connections and requests are taken, and nothing happens. They go on when the mode changes.
        case hold
        /// The server gets the requests, but what it replies waits until the mode changes.
        case holdReplies
    }

    /// What the proxy's thread and the others have in common.
    struct Shared {
        var mode = Mode.forward
        var modeChanges = 0
        var closesAll = false
        var isStopping = false
        /// Of the three above; the thread says how many it has seen to.
        var changes = 0
        var changesDone = 0
        var requestBytes = 0
        var replyBytes = 0
        var connections = 0
        var openConnections = 0
    }

    /// The path of the unix socket that it listens on.
    public let socket: String
    /// The port of 127.0.0.1 that it listens on, where one was asked for.
    public let port: Int?
    private let folder: TemporaryFolder
    /// Whom it stands for: as long as the proxy is there, so is the server.
    private let server: RedisServer?
    private let shared: Monitor<Shared>
    /// Wakes the thread.
    private let wakeDescriptor: Int32
    private let thread: SystemThread

    /// In front of a server's unix socket.
    ///
    /// - Parameter hasPort: Whether clients can come by a port as well.
    public convenience init(to server: RedisServer, hasPort: Bool = false) throws {
        let path = server.socket
        try self.init(hasPort: hasPort, server: server) { try StreamSocket(unix: path, within: 0) }
    }

    /// In front of a port of 127.0.0.1.
    public convenience init(toPort target: Int, hasPort: Bool = true) throws {
        try self.init(hasPort: hasPort, server: nil) { try StreamSocket(port: UInt16(target)) }
    }

    private init(
        hasPort: Bool, server: RedisServer?, connect: @escaping @Sendable () throws -> StreamSocket
    ) throws {
        folder = try TemporaryFolder()
        self.server = server
        socket = folder.file("proxy.sock")
        var listeners = [Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)]
        guard cplatform_bind_unix(listeners[0], socket) == 0, listen(listeners[0], 128) == 0 else {
            throw TestFailure.system("listen \(socket)", errno)
        }
        if hasPort {
            let (fd, port) = try Loopback.listen()
            listeners.append(fd)
            self.port = Int(port)
        } else {
            port = nil
        }
        shared = Monitor(Shared())
        wakeDescriptor = cplatform_eventfd()
        let loop = RedisProxyLoop(listeners: listeners, wake: wakeDescriptor, shared: shared, connect: connect)
        thread = try SystemThread(name: "redis-proxy") { loop.run() }
    }

    deinit {
        change { $0.isStopping = true }
        _ = thread.join(timeout: .seconds(20))
        close(wakeDescriptor)
    }

    /// Returns once the thread goes by the change: what a client sends after that meets nothing else.
    private func change(_ body: (inout Shared) -> Void) {
        let number = shared.withLock { state in
            body(&state)
            state.changes += 1
            return state.changes
        }
        cplatform_eventfd_signal(wakeDescriptor)
        shared.wait(until: { $0.changesDone >= number }, timeout: .seconds(20)) { _ in }
    }

    /// What it does; ``Mode/forward`` at first.
    public var mode: Mode {
        get { shared.withLock { $0.mode } }
        set {
            change {
                $0.mode = newValue
                $0.modeChanges += 1
            }
        }
    }

    /// Closes all connections, on both sides; they are closed when this returns. New ones are taken as before.
    public func closeAll() {
        change { $0.closesAll = true }
    }

    /// Bytes that it has read from clients so far.
    public var requestBytes: Int { shared.withLock { $0.requestBytes } }

    /// Bytes that it has sent to clients so far, counted a moment after they are.
    public var replyBytes: Int { shared.withLock { $0.replyBytes } }

    /// How many connections there have been so far.
    public var connections: Int { shared.withLock { $0.connections } }

    /// How many connections neither their clients nor the proxy have closed.
    public var openConnections: Int { shared.withLock { $0.openConnections } }
}
