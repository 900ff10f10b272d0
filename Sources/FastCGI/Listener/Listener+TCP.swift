internal import Glibc

extension Listener {
    /// Listens on a TCP port.
    ///
    /// Whoever reaches the port can speak FastCGI and claim to be any user: an address other than loopback needs a list
    /// of the peers that may. Prefer a unix socket.
    ///
    /// - Parameters:
    ///   - host: A numeric IPv4 or IPv6 address, or `localhost`.
    ///   - port: 1 to 65535; 0 lets the kernel choose, see ``Listener/name``.
    ///   - allow: Peers that may connect, as addresses or ranges (`10.0.0.0/8`); empty: loopback only.
    /// - Throws: ``ListenerError`` with the remedy.
    public static func tcp(host: String, port: UInt16, allow: [String] = []) throws(ListenerError) -> Listener {
        let isIPv6 = host.contains(":")
        let name = isIPv6 ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        guard let address = SocketAddress(host: host == "localhost" ? "127.0.0.1" : host, port: port) else {
            throw ListenerError(
                name,
                "\"\(host)\" is not a numeric address",
                "give an address such as 127.0.0.1 or ::1; better, a unix socket (unix:/run/galleta/galleta.sock)"
            )
        }
        let allowed = try AllowedPeers(allow, listener: name)
        guard address.isLoopback || !allowed.ranges.isEmpty else {
            throw ListenerError(
                name,
                "any host could send requests in any user's name",
                "listen on 127.0.0.1 or a unix socket, or list the web servers that may connect (--allow)"
            )
        }
        let fd = try bind(address, name)
        let bound = SocketAddress.local(of: fd)?.port ?? port
        return Listener(
            fd: fd,
            name: isIPv6 ? "tcp:[\(host)]:\(bound)" : "tcp:\(host):\(bound)",
            isTCP: true,
            allowed: allowed
        )
    }

    private static func bind(_ address: SocketAddress, _ name: String) throws(ListenerError) -> Int32 {
        let fd = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ListenerError(name, ListenerError.text(errno), "choose another address") }
        var on: Int32 = 1
        // A restart must not wait for the connections of the last run (TIME_WAIT).
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let failure = address.withSockaddr { Glibc.bind(fd, $0, $1) == 0 && listen(fd, backlog) == 0 ? 0 : errno }
        guard failure == 0 else {
            close(fd)
            switch failure {
            case EADDRINUSE:
                throw ListenerError(
                    name,
                    "the port is in use",
                    "stop the process that has it (ss -tlnp shows it), or choose another port"
                )
            case EACCES:
                throw ListenerError(name, "ports below 1024 need privileges", "choose a port from 1024 up")
            case EADDRNOTAVAIL:
                throw ListenerError(name, "the address is not one of this machine", "choose one that ip addr lists")
            default:
                throw ListenerError(name, ListenerError.text(failure), "choose another address")
            }
        }
        return fd
    }
}
