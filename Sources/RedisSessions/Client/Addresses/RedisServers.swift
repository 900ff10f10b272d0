package import Sessions

/// Which servers hold the sessions, as a URL says it, and how they work together.
///
///     redis://[user[:password]@]host[:port][,host[:port]…][/database]
///     rediss://…                        the same with TLS
///     unix://[user[:password]@]/path[?db=database]
///
/// User, password and path are percent-decoded; IPv6 addresses stand in brackets. Several addresses are separated by
/// commas, each with or without its scheme; they share user, password, database and scheme.
package struct RedisServers: Hashable, Sendable {
    /// How the addresses belong together.
    package enum Topology: Hashable, Sendable {
        /// One server; further addresses are tried when the first does not answer.
        case single
        /// The addresses are those of sentinels, which name the primary of that name.
        case sentinel(primary: String)
        /// The addresses are some nodes of a cluster.
        case cluster
    }

    package var topology: Topology
    package var addresses: [RedisAddress]
    package var usesTLS = false
    /// The ACL user; nil is `default`.
    package var user: String?
    package var password = RedisPassword.none
    package var database = 0

    package init(_ topology: Topology = .single, _ addresses: [RedisAddress]) {
        self.topology = topology
        self.addresses = addresses
    }

    /// - Parameters:
    ///   - url: See above.
    ///   - field: The name of the setting, for errors.
    /// - Throws: An error that names the field and what to write in its place, and never shows a password.
    package init(url: String, topology: Topology = .single, field: String = "url") throws(ConfigurationError) {
        self.init(topology, [])
        var first: RedisURL?
        for part in url.split(separator: ",", omittingEmptySubsequences: false) {
            let parsed = try RedisURL(
                part, scheme: first?.scheme, defaultPort: topology.defaultPort, field: field)
            if let first {
                guard parsed.agrees(with: first) else {
                    throw ConfigurationError(
                        field: field,
                        reason: "the addresses differ in scheme, user, password or database",
                        remedy: "give all of them once, as redis://user:password@host1:6379,host2:6379/0")
                }
            }
            first = first.map { $0.completed(by: parsed) } ?? parsed
            guard !addresses.contains(parsed.address) else {
                throw ConfigurationError(
                    field: field,
                    reason: "\(parsed.address) is there twice",
                    remedy: "give each address once")
            }
            addresses.append(parsed.address)
        }
        usesTLS = first?.scheme == .rediss
        user = first?.user
        password = first?.password.map { .text($0) } ?? .none
        database = first?.database ?? 0
    }

    /// - Throws: What cannot be, whoever has put it together.
    package func check(field: String = "url") throws(ConfigurationError) {
        guard !addresses.isEmpty else {
            throw ConfigurationError(
                field: field,
                reason: "there is no address",
                remedy: "give one, for example redis://127.0.0.1:6379")
        }
        guard addresses.count <= 64 else {
            throw ConfigurationError(
                field: field,
                reason: "\(addresses.count) addresses are more than 64",
                remedy: "a few are enough to find the others")
        }
        switch topology {
        case .single:
            break
        case .sentinel(let primary):
            guard !primary.isEmpty else {
                throw ConfigurationError(
                    field: field,
                    reason: "no primary is named",
                    remedy: "give its name as in the sentinels' \"sentinel monitor NAME\"")
            }
        case .cluster:
            guard database == 0 else {
                throw ConfigurationError(
                    field: field,
                    reason: "a cluster has database 0 only",
                    remedy: "leave out /\(database)")
            }
        }
    }
}

extension RedisServers.Topology {
    var defaultPort: UInt16 {
        if case .sentinel = self { 26379 } else { 6379 }
    }
}
