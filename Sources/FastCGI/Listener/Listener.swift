internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// A listening socket that a server accepts connections on.
///
/// Made by one of the static functions; each leaves a socket that already listens. Closed by the server when it stops,
/// or when the listener is dropped.
public final class Listener: @unchecked Sendable {
    // Safe: all stored properties are constants; `close` runs once, in deinit.
    let fd: Int32
    /// Where it listens, for the log: `unix:/run/app.sock`, `tcp:127.0.0.1:9000`, `fd 0`.
    public let name: String
    /// Things an operator should know, such as a socket that every user may write to.
    public let warnings: [String]
    let isTCP: Bool
    /// The parent has it, too, and a successor may go on with it: it must never be shut down.
    let isInherited: Bool
    /// A service manager has made it, and holds it: it can hold connections for a successor, too.
    package let isHeldByManager: Bool
    let allowed: AllowedPeers
    /// Connections that a predecessor has left.
    private let connections = Locked<[Int32]>([])
    /// A socket file that this process made and removes again.
    private let file: SocketFile?

    init(
        fd: Int32,
        name: String,
        warnings: [String] = [],
        isTCP: Bool = false,
        isInherited: Bool = false,
        isHeldByManager: Bool = false,
        allowed: AllowedPeers = .none,
        file: SocketFile? = nil
    ) {
        self.fd = fd
        self.name = name
        self.warnings = warnings
        self.isTCP = isTCP
        self.isInherited = isInherited
        self.isHeldByManager = isHeldByManager
        self.allowed = allowed
        self.file = file
        let flags = fcntl(fd, F_GETFL)
        // Another process may take the connection that woke us: accept must never block a worker.
        _ = fcntl(fd, F_SETFL, flags | O_NONBLOCK)
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        removeFile()
        close(fd)
        for connection in takeConnections() { close(connection) }
    }

    /// Keeps a connection for the server that will serve this listener.
    package func leave(_ connection: Int32) {
        connections.withLock { $0.append(connection) }
    }

    /// Those that were left; the caller's to close.
    func takeConnections() -> [Int32] {
        connections.withLock { connections in
            defer { connections = [] }
            return connections
        }
    }

    /// Turns new connections away, unless the socket is inherited. The descriptor stays reserved until the listener is
    /// dropped: another thread may be about to use its number.
    func refuseConnections() {
        if !isInherited { cplatform_shutdown(fd) }
    }

    /// Removes the socket file if it is still the one that this listener made.
    func removeFile() {
        file?.remove()
    }

    /// Connections that the kernel holds for a listener before it refuses more. At least this many are asked for: a full
    /// backlog of a unix socket is an instant 502.
    public static let backlog: Int32 = 4096
}

extension Listener {
    /// Listens on an address as an operator writes it.
    ///
    /// - Parameters:
    ///   - address: `unix:/run/app.sock`, `tcp:127.0.0.1:9000` or `tcp:[::1]:9000`; a path that starts with `/` is a unix
    ///     socket.
    ///   - mode: Permissions of a unix socket.
    ///   - allow: Peers that may connect by TCP.
    /// - Throws: `ConfigurationError` of `listener` or `allow` for what can be no address or no list of peers;
    ///   `ListenerError` where it cannot be listened on.
    public static func at(_ address: String, mode: UInt32 = 0o660, allow: [String] = []) throws -> Listener {
        StandardDescriptors.fill()
        switch try Address(address) {
        case .unix(let path): return try unix(path: path, mode: mode, allow: allow)
        case .tcp(let host, let port): return try tcp(host: host, port: port, allow: allow)
        }
    }

    /// Whether ``at(_:mode:allow:)`` would succeed for each address, as far as can be told without a trace: the addresses,
    /// the allow list, the folder of a unix socket and who listens there, the port.
    ///
    /// An address that a running process has is no error: mostly that is the server whose next start is looked at.
    ///
    /// - Parameters:
    ///   - addresses: As ``at(_:mode:allow:)`` takes them. Without any the allow list alone is looked at.
    ///   - allow: Peers that may connect.
    /// - Returns: For each address that is in use what stands against a start at the moment.
    /// - Throws: As ``at(_:mode:allow:)``.
    @discardableResult
    public static func check(_ addresses: [String], allow: [String] = []) throws -> [ListenerError] {
        var inUse: [ListenerError] = []
        if addresses.isEmpty { _ = try AllowedPeers(allow) }
        for (index, address) in addresses.enumerated() {
            guard !addresses[..<index].contains(address) else {
                throw ConfigurationError(
                    field: "listener", reason: "\(address) is given twice", remedy: "give each address once")
            }
            let parsed = try Address(address)
            do {
                switch parsed {
                case .unix(let path): try checkUnix(path: path, allow: allow)
                case .tcp(let host, let port): try checkTCP(host: host, port: port, allow: allow)
                }
            } catch let error as ListenerError where error.isInUse {
                inUse.append(error)
            }
        }
        return inUse
    }

    private enum Address {
        case unix(path: String)
        case tcp(host: String, port: UInt16)

        init(_ text: String) throws(ConfigurationError) {
            if text.hasPrefix("/") || text.hasPrefix("unix:") {
                self = .unix(path: text.hasPrefix("/") ? text : String(text.dropFirst(5)))
                return
            }
            guard text.hasPrefix("tcp:"), let colon = text.lastIndex(of: ":"),
                let port = UInt16(text[text.index(after: colon)...]),
                colon >= text.index(text.startIndex, offsetBy: 4)
            else {
                throw ConfigurationError(
                    field: "listener",
                    reason: "\"\(text)\" is not an address",
                    remedy: "write unix:/run/galleta/galleta.sock or tcp:127.0.0.1:9000"
                )
            }
            var host = String(text[text.index(text.startIndex, offsetBy: 4)..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            self = .tcp(host: host, port: port)
        }
    }
}
