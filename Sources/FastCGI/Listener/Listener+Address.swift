internal import GalletaPlatform

extension Listener {
    /// Listens on an address as an operator writes it.
    ///
    /// - Parameters:
    ///   - address: `unix:/run/app.sock`, `tcp:127.0.0.1:9000` or `tcp:[::1]:9000`; a path that starts with `/` is a unix
    ///     socket.
    ///   - mode: Permissions of a unix socket.
    ///   - allow: Peers that may connect by TCP.
    /// - Throws: ``ListenerError`` with the remedy.
    public static func at(_ address: String, mode: UInt32 = 0o660, allow: [String] = []) throws(ListenerError)
        -> Listener
    {
        StandardDescriptors.fill()
        if address.hasPrefix("/") { return try unix(path: address, mode: mode, allow: allow) }
        if address.hasPrefix("unix:") { return try unix(path: String(address.dropFirst(5)), mode: mode, allow: allow) }
        guard address.hasPrefix("tcp:"), let colon = address.lastIndex(of: ":"),
            let port = UInt16(address[address.index(after: colon)...]),
            colon >= address.index(address.startIndex, offsetBy: 4)
        else {
            throw ListenerError(
                address,
                "this is not an address",
                "write unix:/run/galleta/galleta.sock or tcp:127.0.0.1:9000"
            )
        }
        var host = String(address[address.index(address.startIndex, offsetBy: 4)..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return try tcp(host: host, port: port, allow: allow)
    }
}
