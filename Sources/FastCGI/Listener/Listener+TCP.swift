internal import GalletaPlatform
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
    /// - Throws: As ``at(_:mode:allow:)``.
    public static func tcp(host: String, port: UInt16, allow: [String] = []) throws -> Listener {
        let settings = try TCPSettings(host, port, allow)
        let fd = try bind(settings, isListening: true)
        return Listener(
            fd: fd,
            name: TCPSettings.name(host, SocketAddress.local(of: fd)?.port ?? port),
            isTCP: true,
            allowed: settings.allowed
        )
    }

    /// Whether ``tcp(host:port:allow:)`` would succeed now; no connection is taken.
    static func checkTCP(host: String, port: UInt16, allow: [String]) throws {
        close(try bind(TCPSettings(host, port, allow), isListening: false))
    }

    private struct TCPSettings {
        let name: String
        let address: SocketAddress
        let allowed: AllowedPeers

        init(_ host: String, _ port: UInt16, _ allow: [String]) throws(ConfigurationError) {
            name = Self.name(host, port)
            guard let address = SocketAddress(host: host == "localhost" ? "127.0.0.1" : host, port: port) else {
                throw ConfigurationError(
                    field: "listener",
                    reason: "\"\(host)\" is not a numeric address",
                    remedy:
                        "give an address such as 127.0.0.1 or ::1; better, a unix socket (unix:/run/galleta/galleta.sock)"
                )
            }
            self.address = address
            allowed = try AllowedPeers(allow)
            guard address.isLoopback || !allowed.ranges.isEmpty else {
                throw ConfigurationError(
                    field: "listener",
                    reason: "at \(name) any host could send requests in any user's name",
                    remedy: "listen on 127.0.0.1 or a unix socket, or list the web servers that may connect in `allow`"
                )
            }
        }

        static func name(_ host: String, _ port: UInt16) -> String {
            host.contains(":") ? "tcp:[\(host)]:\(port)" : "tcp:\(host):\(port)"
        }
    }

    private static func bind(_ settings: TCPSettings, isListening: Bool) throws(ListenerError) -> Int32 {
        let (address, name) = (settings.address, settings.name)
        let fd = socket(address.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard fd >= 0 else { throw ListenerError(name, ListenerError.text(errno), "choose another address") }
        var on: Int32 = 1
        // A restart must not wait for the connections of the last run (TIME_WAIT).
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let failure = address.withSockaddr { pointer, length in
            guard Glibc.bind(fd, pointer, length) == 0, !isListening || listen(fd, backlog) == 0 else { return errno }
            return Int32(0)
        }
        guard failure == 0 else {
            close(fd)
            switch failure {
            case EADDRINUSE:
                throw ListenerError(
                    name,
                    "the port is in use",
                    "stop the process that has it (ss -tlnp shows it), or choose another port",
                    isInUse: true
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
