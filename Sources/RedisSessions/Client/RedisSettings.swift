package import Logging
package import Sessions

/// How a client behaves: all its settings, with defaults.
package struct RedisSettings: Sendable {
    /// Which servers, and as which user; ``password`` is taken from here at first.
    package var servers: RedisServers
    package var password: RedisPassword
    /// For servers of a `rediss` URL, and for their sentinels.
    package var tls = RedisTLSSettings()
    /// User and password for sentinels, where they want one.
    package var sentinelUser: String?
    package var sentinelPassword = RedisPassword.none
    /// What all keys have between braces, and so the slot of a cluster that holds them.
    package var hashTag = "galleta"

    /// The longest that a call takes, whatever happens in it: 1 ms to 60 s. Default: 250 ms.
    package var totalTimeout = Duration.milliseconds(250)
    /// The longest that one attempt to connect takes, TLS and log-in included: 1 ms to 60 s. Default: 100 ms.
    package var connectTimeout = Duration.milliseconds(100)
    /// The most connections at once, 1 to 1,024. Default: 16.
    package var maximumConnections = 16
    /// A connection that was not used for so long is closed. Default: 60 s.
    package var idleTimeout = Duration.seconds(60)
    /// The most bytes of one reply, 65,536 to 2^30. Default: 16 MiB.
    package var maximumReplyBytes = 16 << 20
    /// The longest pause between attempts to reach a server that fails: 100 ms to 60 s. Default: 1 s.
    package var maximumPause = Duration.seconds(1)

    /// How often sentinels are asked whether the primary is still the same, apart from each new connection: 100 ms to
    /// 60 s. Default: 1 s.
    package var primaryCheckInterval = Duration.seconds(1)
    /// Where it is said that servers fail, are back, or were replaced.
    package var logger = Logger(label: "galleta.sessions.redis")

    package init(_ servers: RedisServers) {
        self.servers = servers
        password = servers.password
    }

    /// - Throws: `ConfigurationError` that names the field.
    package func check() throws(ConfigurationError) {
        try servers.check()
        try password.check()
        try sentinelPassword.check()
        guard servers.usesTLS || tls == RedisTLSSettings() else {
            throw ConfigurationError(
                field: "url",
                reason: "its scheme is without TLS, but there are settings for TLS",
                remedy: "begin with rediss://, or leave them out")
        }
        for (user, password, field) in [
            (servers.user, password, "passwordFile"), (sentinelUser, sentinelPassword, "sentinelPasswordFile"),
        ] where user != nil && password == .none {
            throw ConfigurationError(
                field: field,
                reason: "there is a user and no password",
                remedy: "give the password in a file, a variable or the URL")
        }
        guard !hashTag.isEmpty, !hashTag.utf8.contains(0x7b), !hashTag.utf8.contains(0x7d) else {
            throw ConfigurationError(
                field: "name",
                reason: "it is empty or has braces",
                remedy: "give a word, for example gal")
        }
        try check("timeout", totalTimeout, .milliseconds(1), .seconds(60))
        try check("connectTimeout", connectTimeout, .milliseconds(1), .seconds(60))
        try check("idleTimeout", idleTimeout, .seconds(1), .seconds(86_400))
        try check("maximumPause", maximumPause, .milliseconds(100), .seconds(60))
        try check("primaryCheckInterval", primaryCheckInterval, .milliseconds(100), .seconds(60))
        guard (1...1_024).contains(maximumConnections) else {
            throw ConfigurationError(
                field: "connections",
                reason: "\(maximumConnections) is not within 1 and 1024",
                remedy: "give the most connections at once")
        }
        guard (65_536...(1 << 30)).contains(maximumReplyBytes) else {
            throw ConfigurationError(
                field: "maximumReplyBytes",
                reason: "\(maximumReplyBytes) is not within 65536 and 1073741824",
                remedy: "give the most bytes of a reply")
        }
    }

    private func check(
        _ field: String, _ value: Duration, _ least: Duration, _ most: Duration
    ) throws(ConfigurationError) {
        guard value >= least, value <= most else {
            let (least, most) = (least / .milliseconds(1), most / .milliseconds(1))
            throw ConfigurationError(
                field: field,
                reason: "\(value / .milliseconds(1)) ms is not within \(Int(least)) and \(Int(most)) ms",
                remedy: "give a time between them")
        }
    }
}

/// How servers prove who they are, and the client who it is. TLS 1.2 or newer; the server's name is always checked.
///
/// The files are read anew after a handshake has failed, so that they can be changed without a restart.
package struct RedisTLSSettings: Hashable, Sendable {
    /// PEM file with the certificates of authorities that servers may be vouched for by. Default: those of the system.
    package var authorityFile: String?
    /// PEM files with the client's certificate, its chain behind it, and its key. Default: none.
    package var certificateFile: String?
    package var keyFile: String?
    /// The name in the servers' certificates, where it is not that of their addresses. Default: the address's host.
    package var serverName: String?

    package init() {}
}
