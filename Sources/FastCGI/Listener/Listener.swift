internal import CPlatform
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
    let allowed: AllowedPeers
    /// A socket file that this process made and removes again.
    private let file: SocketFile?

    init(
        fd: Int32,
        name: String,
        warnings: [String] = [],
        isTCP: Bool = false,
        isInherited: Bool = false,
        allowed: AllowedPeers = .none,
        file: SocketFile? = nil
    ) {
        self.fd = fd
        self.name = name
        self.warnings = warnings
        self.isTCP = isTCP
        self.isInherited = isInherited
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
