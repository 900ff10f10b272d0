/// A primary with one replica, and three sentinels that watch over them, each on a free port of 127.0.0.1.
///
/// A primary is taken for dead after a second; a failover takes two to three. All ends with this object. Safe from any
/// thread.
public final class RedisSentinels: Sendable {
    /// What the sentinels call the primary.
    public static let name = "main"

    /// The two that hold data, whichever is the primary; the one that was it at first comes first.
    public let servers: [RedisServer]
    public let sentinels: [RedisServer]
    private let hurries: Bool

    /// - Parameters:
    ///   - lines: Lines of redis.conf for the two that hold data.
    ///   - password: What those two want from everybody.
    ///   - sentinelLines: Lines for the sentinels (`requirepass …`).
    ///   - hurries: Whether sentinels look around more often than by default: a primary that comes back is made a replica
    ///     after some seconds; else after about 15, during which it takes writes.
    ///   - tls: What all of them show, to clients and to each other; nil: they talk plainly.
    public init(
        _ lines: [String] = [], password: String? = nil, sentinelLines: [String] = [], hurries: Bool = true,
        tls: TLSIdentity? = nil
    ) throws {
        self.hurries = hurries
        let secret = password.map { ["requirepass \($0)", "masterauth \($0)"] } ?? []
        // Without the delay the first copy begins at once.
        let common = ["repl-diskless-sync-delay 0"] + secret + lines
        let primary = try RedisServer(common, hasPort: true, tls: tls)
        let address = "127.0.0.1 \(primary.servedPort ?? 0)"
        let replica = try RedisServer(common + ["replicaof \(address)"], hasPort: true, tls: tls)
        servers = [primary, replica]
        // A sentinel looks for replicas every ten seconds: the first look shall find it.
        guard try eventually(within: 20, { try primary.info("slave0")?.contains("state=online") == true }) else {
            throw TestFailure(description: "the replica does not follow: \(replica.log)")
        }
        let watch =
            [
                "sentinel monitor \(Self.name) \(address) 2", "sentinel down-after-milliseconds \(Self.name) 1000",
                "sentinel failover-timeout \(Self.name) 3000",
            ] + (password.map { ["sentinel auth-pass \(Self.name) \($0)"] } ?? [])
        sentinels = try (0..<3).map { _ in
            try RedisServer(watch + sentinelLines, as: .sentinel, hasPort: true, tls: tls)
        }
        for sentinel in sentinels { try setPeriods(of: sentinel) }
        let isReady = eventually(within: 30) {
            sentinels.allSatisfy {
                let fields = Self.ask($0, "MASTER")
                return fields["num-other-sentinels"] == "2" && fields["num-slaves"] == "1"
                    && fields["flags"] == "master"
            }
        }
        guard isReady else { throw TestFailure(description: "the sentinels do not meet: \(sentinels[0].log)") }
    }

    /// They are not kept in a sentinel's file.
    private func setPeriods(of sentinel: RedisServer) throws {
        // By default a sentinel waits up to a second before it connects to a new primary and, when it is this quick to
        // judge, takes that for dead: one failover after the other. Below 200 it finds no replica fit to be the primary.
        try sentinel.cli("SENTINEL", "DEBUG", "PING-PERIOD", "300")
        guard hurries else { return }
        try sentinel.cli("SENTINEL", "DEBUG", "INFO-PERIOD", "1000", "PUBLISH-PERIOD", "500")
    }

    /// Sets how long a server has to be silent before the sentinels take it for dead; a second at first.
    public func setPatience(_ milliseconds: Int) throws {
        for sentinel in sentinels where sentinel.isRunning {
            try sentinel.cli("SENTINEL", "SET", Self.name, "down-after-milliseconds", String(milliseconds))
        }
    }

    /// Starts a sentinel again that was killed or stopped.
    public func restart(_ sentinel: RedisServer) throws {
        try sentinel.restart()
        try setPeriods(of: sentinel)
    }

    /// The sentinels' ports.
    public var ports: [Int] { sentinels.compactMap(\.servedPort) }

    /// The server that a sentinel names as the primary.
    public func primary(by sentinel: RedisServer) throws -> RedisServer {
        let answer = try sentinel.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.name)
        let port = answer.split(separator: "\n").last.flatMap { Int($0) }
        guard let server = servers.first(where: { $0.servedPort == port }) else {
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
        // A failed question is none: sentinels cut a server's connections when they change its role.
        _ = eventually(within: seconds) {
            let named = sentinels.filter(\.isRunning).compactMap { try? primary(by: $0) }
            found = servers.first { server in
                server !== old && server.isRunning && named.count { $0 === server } >= count
                    && (try? server.info("role")) == "master"
            }
            return found != nil
        }
        guard let found else {
            let logs = sentinels.map(\.log).joined(separator: "\n")
            throw TestFailure(description: "\(count) sentinels do not agree on a primary:\n\(logs)")
        }
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
        // A replica that has just come back is not fit for it at once.
        let hasBegun = eventually {
            servers.contains { $0 !== old && isReplica($0, within: 20) }
                && sentinels.contains { $0.isRunning && (try? $0.cli("SENTINEL", "FAILOVER", Self.name)) != nil }
        }
        guard hasBegun else { throw TestFailure(description: "no failover: \(sentinels[0].log)") }
        return try primary(otherThan: old)
    }

    /// Waits until a server is a replica that follows its primary, in the eyes of all sentinels that run, too; true if it
    /// is within the time.
    public func isReplica(_ server: RedisServer, within seconds: Double = 40) -> Bool {
        eventually(within: seconds) {
            guard (try? server.info("role")) == "slave", (try? server.info("master_link_status")) == "up" else {
                return false
            }
            // A sentinel that has an older view would undo what another does next.
            return sentinels.filter(\.isRunning).allSatisfy {
                let fields = Self.ask($0, "REPLICAS")
                return fields["port"] == String(server.servedPort ?? 0) && fields["flags"] == "slave"
                    && fields["role-reported"] == "slave" && fields["master-link-status"] == "ok"
            }
        }
    }

    /// What a sentinel knows of the primary (`MASTER`) or of its one replica (`REPLICAS`), by field.
    private static func ask(_ sentinel: RedisServer, _ question: String) -> [String: String] {
        let answer = (try? sentinel.cli("SENTINEL", question, name)) ?? ""
        let words = answer.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
        return Dictionary(pairs) { $1 }
    }
}
