package import GalletaPlatform
package import RedisSessions

/// PHP's `session.save_path` for its redis handler: `tcp://host:6379?database=2&auth=secret&prefix=SHOP:`, `tls://…`,
/// or `unix:///run/redis.sock?…`.
package struct RedisSavePath: Sendable {
    /// Which server, and as whom.
    package let servers: RedisServers
    /// What stands in front of each id.
    let prefix: [UInt8]

    private static let field = "session.save_path"

    /// - Throws: `ConfigurationError` for what cannot be shared here.
    package init(_ text: String) throws(ConfigurationError) {
        guard !text.contains(where: { $0 == "," || $0 == " " || $0 == ";" }) else {
            throw Self.error(
                "it names several servers, among which PHP's handler distributes sessions", "keep sessions on one")
        }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = String(parts[0])
        var prefix = "PHPREDIS_SESSION:"
        var credentials: [String] = []
        var database = 0
        for (name, value) in Self.fields(parts.count > 1 ? parts[1] : "") {
            switch name {
            case "prefix": prefix = value
            case "database":
                guard let number = Int(value), number >= 0 else {
                    throw Self.error("\"\(value)\" is no database", "give a number")
                }
                database = number
            case "auth[user]", "auth[0]": credentials.insert(value, at: 0)
            case "auth", "auth[]", "auth[1]", "auth[pass]": credentials.append(value)
            case "weight", "timeout", "read_timeout", "retry_interval", "persistent", "persistent_id": break
            default: throw Self.error("\"\(name)\" is not known here", "leave it out, if PHP can do without")
            }
        }
        guard credentials.count <= 2 else { throw Self.error("auth is there too often", "give user and password") }
        var servers = try RedisServers(url: Self.url(place), field: Self.field)
        servers.user = credentials.count == 2 ? credentials[0] : nil
        servers.password = credentials.last.map { .text($0) } ?? .none
        servers.database = database
        self.servers = servers
        self.prefix = Array(prefix.utf8)
    }

    /// The address as the client has it.
    private static func url(_ place: String) throws(ConfigurationError) -> String {
        for (scheme, ours) in [("tcp://", "redis://"), ("tls://", "rediss://"), ("ssl://", "rediss://")]
        where place.hasPrefix(scheme) {
            return ours + place.dropFirst(scheme.count)
        }
        if place.hasPrefix("unix:") {
            let path = place.dropFirst(5).drop { $0 == "/" }
            return "unix:///" + path
        }
        throw error("it is no address of Redis", "give tcp://HOST:PORT, tls://HOST:PORT or unix:///PATH, as PHP has it")
    }

    private static func error(_ reason: String, _ remedy: String) -> ConfigurationError {
        ConfigurationError(field: field, reason: reason, remedy: remedy)
    }

    /// PHP's reading of a query.
    private static func fields(_ query: Substring) -> [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(parts[0]), parts.count > 1 ? decoded(parts[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = text.utf8.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }
        return String(decoding: bytes.withUnsafeBytes { PercentCoding.decode($0) }, as: UTF8.self)
    }
}
