/// A primary with one replica, and three sentinels that watch over them, each on a free port of 127.0.0.1.
///
/// A primary is taken for dead after 500 ms; a failover takes about two seconds. All ends with this object. Safe from any
/// thread.
public final class RedisSentinels: Sendable {
    /// What the sentinels call the primary.
    public static let name = "main"

    /// The two that hold data, whichever is the primary; the one that was it at first comes first.
    public let servers: [RedisServer]
    public let sentinels: [RedisServer]

    /// - Parameters:
    ///   - lines: Lines of redis.conf for the two that hold data.
    ///   - password: What those two want from everybody.
    ///   - sentinelLines: Lines for the sentinels (`requirepass …`).
    public init(_ lines: [String] = [], password: String? = nil, sentinelLines: [String] = []) throws {
        let secret = password.map { ["requirepass \($0)", "masterauth \($0)"] } ?? []
        // Without the delay the first copy begins at once.
        let common = ["repl-diskless-sync-delay 0"] + secret + lines
        let primary = try RedisServer(common, hasPort: true)
        let address = "127.0.0.1 \(primary.port ?? 0)"
        let replica = try RedisServer(common + ["replicaof \(address)"], hasPort: true)
        servers = [primary, replica]
        // A sentinel looks for replicas every ten seconds: the first look shall find it.
        guard try eventually(within: 20, { try primary.info("slave0")?.contains("state=online") == true }) else {
            throw TestFailure(description: "the replica does not follow: \(replica.log)")
        }
        let watch =
            [
                "sentinel monitor \(Self.name) \(address) 2", "sentinel down-after-milliseconds \(Self.name) 500",
                "sentinel failover-timeout \(Self.name) 3000",
            ] + (password.map { ["sentinel auth-pass \(Self.name) \($0)"] } ?? [])
        sentinels = try (0..<3).map { _ in try RedisServer(watch + sentinelLines, as: .sentinel, hasPort: true) }
        let isReady = try eventually(within: 30) {
            try sentinels.allSatisfy { sentinel in
                let fields = try sentinel.cli("SENTINEL", "MASTER", Self.name).split(separator: "\n").map(String.init)
                func value(_ field: String) -> String? {
                    fields.firstIndex(of: field).map { fields[$0 + 1] }
                }
                return value("num-other-sentinels") == "2" && value("num-slaves") == "1" && value("flags") == "master"
            }
        }
        guard isReady else { throw TestFailure(description: "the sentinels do not meet: \(sentinels[0].log)") }
    }

    /// The sentinels' ports.
    public var ports: [Int] { sentinels.compactMap(\.port) }

    /// The server that a sentinel names as the primary.
    public func primary(by sentinel: RedisServer) throws -> RedisServer {
        let answer = try sentinel.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.name)
        let port = answer.split(separator: "\n").last.flatMap { Int($0) }
        guard let server = servers.first(where: { $0.port == port }) else {
            throw TestFailure(description: "the sentinel names a stranger: \(answer)")
        }
        return server
    }

    /// Waits until so many sentinels name the same server, and that one takes itself for the primary; returns it.
    ///
    /// - Parameter old: A server that it shall not be, as a primary that was killed.
    public func primary(
        agreedBy count: Int = 3, otherThan old: RedisServer? = nil, within seconds: Double = 20
    ) throws -> RedisServer {
        var found: RedisServer?
        _ = try eventually(within: seconds) {
            let named = try sentinels.filter(\.isRunning).map { try primary(by: $0) }
            found = try servers.first { server in
                try server !== old && server.isRunning && named.count { $0 === server } >= count
                    && server.info("role") == "master"
            }
            return found != nil
        }
        guard let found else { throw TestFailure(description: "\(count) sentinels do not agree on a primary") }
        return found
    }

    /// Kills the primary as a crash would, and returns it. Started again by ``RedisServer/restart(keepingData:)`` it takes
    /// writes as a primary of its own until a sentinel notices.
    @discardableResult
    public func killPrimary() throws -> RedisServer {
        let primary = try primary(agreedBy: 2)
        primary.kill()
        return primary
    }

    /// Makes the sentinels swap primary and replica while both run; returns the new primary once all agree.
    @discardableResult
    public func failOver() throws -> RedisServer {
        let old = try primary()
        try sentinels[0].cli("SENTINEL", "FAILOVER", Self.name)
        return try primary(otherThan: old)
    }

    /// Waits until a server is a replica that follows its primary; true if it is within the time.
    public func isReplica(_ server: RedisServer, within seconds: Double = 40) throws -> Bool {
        try eventually(within: seconds) {
            try server.info("role") == "slave" && server.info("master_link_status") == "up"
        }
    }
}
