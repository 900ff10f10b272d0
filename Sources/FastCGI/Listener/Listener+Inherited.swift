internal import GalletaPlatform
internal import Glibc

extension Listener {
    /// The sockets that whoever started this process left for it: systemd's (LISTEN_FDS, from descriptor 3 on), else
    /// descriptor 0 (spawn-fcgi, `StandardInput=socket`). Empty when there are none.
    ///
    /// They stay open in the parent: stopping never shuts them down, so that a successor goes on where this process
    /// ended. Connections that a predecessor has left with systemd (its file descriptor store) are served on. The
    /// environment variables are removed, so that a child does not take them for its own. One that systemd calls `session-store`
    /// (FileDescriptorName=) is for another part of the program.
    ///
    /// - Parameter allow: Peers that may connect: addresses and ranges for TCP sockets among them (none: loopback only),
    ///   users as `user:www-data` for unix sockets (none: whom the file's mode lets in).
    /// - Throws: `ListenerError` if a socket was announced that is not listening; `ConfigurationError` of `allow` for what
    ///   can be no list of peers, or where one is missing.
    public static func inherited(allow: [String] = []) throws -> [Listener] {
        StandardDescriptors.fill()
        let descriptors = InheritedDescriptors.take { _, name in name != InheritedDescriptors.storeName }
        if !descriptors.isEmpty {
            var listeners: [Listener] = []
            var connections: [Int32] = []
            for (fd, name) in descriptors {
                guard name != connectionName else {
                    connections.append(fd)
                    continue
                }
                guard InheritedDescriptors.isListening(fd) else {
                    throw ListenerError(
                        "fd \(fd)",
                        "LISTEN_FDS announces it, but it is not a listening stream socket",
                        "use ListenStream= in the .socket unit and Accept=no"
                    )
                }
                listeners.append(try adopt(fd, allow, isHeldByManager: true))
            }
            for fd in connections { leave(fd, to: listeners) }
            return listeners
        }
        return InheritedDescriptors.isListening(0) ? [try adopt(0, allow, isHeldByManager: false)] : []
    }

    /// What systemd calls a connection that was left with it (FDNAME=).
    package static let connectionName = "connection"

    /// Gives a connection to the listener that it came by.
    private static func leave(_ fd: Int32, to listeners: [Listener]) {
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
        let (path, port) = (InheritedDescriptors.unixPath(of: fd), SocketAddress.local(of: fd)?.port)
        let listener = listeners.first { listener in
            listener.isTCP
                ? port != nil && SocketAddress.local(of: listener.fd)?.port == port
                : path != nil && InheritedDescriptors.unixPath(of: listener.fd) == path
        }
        // Of a socket that is none of this server's any more.
        guard let listener else {
            close(fd)
            return
        }
        listener.leave(fd)
    }

    private static func adopt(
        _ fd: Int32, _ allow: [String], isHeldByManager: Bool
    ) throws(ConfigurationError) -> Listener {
        let allowed = try AllowedPeers(allow)
        if let address = SocketAddress.local(of: fd) {
            let name = "fd \(fd) (tcp port \(address.port))"
            guard address.isLoopback || !allowed.ranges.isEmpty else {
                throw ConfigurationError(
                    field: "allow",
                    reason: "at \(name) any host could send requests in any user's name",
                    remedy:
                        "bind it to 127.0.0.1 or use a unix socket, or list the web servers that may connect in `allow`"
                )
            }
            return Listener(
                fd: fd, name: name, isTCP: true, isInherited: true, isHeldByManager: isHeldByManager,
                allowed: allowed)
        }
        guard let path = InheritedDescriptors.unixPath(of: fd) else {
            return Listener(
                fd: fd, name: "fd \(fd)", isInherited: true, isHeldByManager: isHeldByManager, allowed: allowed)
        }
        var status = stat()
        let mode = lstat(path, &status) == 0 ? UInt32(status.st_mode) : 0
        return Listener(
            fd: fd,
            name: "fd \(fd) (unix:\(path))",
            warnings: modeWarnings(path: path, mode: mode, allowed),
            isInherited: true,
            isHeldByManager: isHeldByManager,
            allowed: allowed
        )
    }
}
