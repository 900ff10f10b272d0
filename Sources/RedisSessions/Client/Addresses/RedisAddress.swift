internal import Glibc

/// Where a server listens.
package struct RedisAddress: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        /// A name or a numeric address, without brackets.
        case tcp(host: String, port: UInt16)
        case unix(path: String)
    }

    let place: Place

    /// - Parameter host: A name or a numeric address, without brackets.
    package static func tcp(_ host: String, _ port: UInt16) -> RedisAddress {
        RedisAddress(place: .tcp(host: host, port: port))
    }

    package static func unix(_ path: String) -> RedisAddress {
        RedisAddress(place: .unix(path: path))
    }

    private init(place: Place) {
        self.place = place
    }

    /// The address that another server names: `host:port`, where an empty or unknown host is the other server's own.
    init?(announced text: some StringProtocol, by other: RedisAddress) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        self.init(announcedHost: String(text[..<colon]), port: port, by: other)
    }

    init?(announcedHost: String, port: UInt16, by other: RedisAddress) {
        if !announcedHost.isEmpty, announcedHost != "?" {
            guard announcedHost.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), announcedHost.utf8.count <= 255 else {
                return nil
            }
            self = .tcp(announcedHost, port)
        } else if case .tcp(let host, _) = other.place {
            self = .tcp(host, port)
        } else {
            return nil
        }
    }
}

extension RedisAddress: CustomStringConvertible {
    package var description: String {
        switch place {
        case .tcp(let host, let port): host.utf8.contains(0x3a) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
