/// How servers prove who they are, and the client who it is. TLS 1.2 or newer; the server's name is always checked.
package struct RedisTLSSettings: Hashable, Sendable {
    /// PEM file with the certificates of authorities that servers may be vouched for by. Default: those of the system.
    package var authorityFile: String?
    /// PEM files with the client's certificate, its chain behind it, and its key. Default: none.
    package var certificateFile: String?
    package var keyFile: String?
    /// The name in the servers' certificates, where it is not that of their addresses. Default: the host of the address.
    package var serverName: String?

    package init() {}
}
