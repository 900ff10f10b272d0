internal import CPlatform
internal import Glibc

/// Who may speak to a listener: addresses for TCP, users for unix sockets.
package struct AllowedPeers: Sendable {
    /// For TCP; empty: loopback only.
    package private(set) var ranges: [AddressRange] = []
    /// For unix sockets, beside root and the server's own user; empty: whom the socket file's mode lets in.
    private var users: Set<uid_t> = []

    /// Whether users of unix sockets are named.
    package var namesUsers: Bool { !users.isEmpty }

    package static let none = AllowedPeers()

    private init() {}

    /// - Parameter list: Addresses and ranges (`192.0.2.7`, `10.0.0.0/8`), users by name or number (`user:www-data`, `user:33`).
    package init(_ list: [String]) throws(ConfigurationError) {
        for entry in list {
            if entry.hasPrefix("user:") {
                users.insert(try Self.user(String(entry.dropFirst(5))))
            } else if let range = AddressRange(entry) {
                ranges.append(range)
            } else {
                throw ConfigurationError(
                    field: "allow", reason: "\"\(entry)\" is neither an address nor a range nor a user",
                    remedy: "write it as 192.0.2.7, 192.0.2.0/24 or user:www-data")
            }
        }
    }

    private static func user(_ name: String) throws(ConfigurationError) -> uid_t {
        if let number = uid_t(name) { return number }
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        let found = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { buffer in
            getpwnam_r(name, &entry, buffer.baseAddress!, buffer.count, &result) == 0 && result != nil
        }
        guard found else {
            throw ConfigurationError(
                field: "allow", reason: "the user \"\(name)\" does not exist",
                remedy: "give the name or the number of the user that the web server runs as (ps -C nginx -o user=)")
        }
        return entry.pw_uid
    }

    /// Why the peer of a connection must not speak; nil if it may.
    ///
    /// The kernel vouches for both: an address by the handshake, a user by SO_PEERCRED, as it was at connect(2).
    package func objection(to connection: Int32, isTCP: Bool) -> String? {
        if isTCP {
            guard let address = SocketAddress.peer(of: connection) else { return "its address is not known" }
            let isAllowed = ranges.isEmpty ? address.isLoopback : ranges.contains { $0.contains(address) }
            return isAllowed ? nil : "its address is not in `allow`"
        }
        guard !users.isEmpty else { return nil }
        var user = uid_t()
        guard cplatform_peer_uid(connection, &user) == 0 else { return "its user is not known" }
        if user == 0 || user == geteuid() || users.contains(user) { return nil }
        return "its user \(user) is not in `allow` (user:\(user))"
    }
}
