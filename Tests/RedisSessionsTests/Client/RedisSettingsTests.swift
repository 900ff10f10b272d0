import Sessions
import Testing

@testable import RedisSessions

@Suite("Settings of the client")
struct RedisSettingsTests {
    private static let refused: [(String, @Sendable (inout RedisSettings) -> Void)] = [
        ("url", { $0.servers.addresses = [] }),
        ("url", { $0.servers.addresses = (1...65).map { .tcp("host", $0) } }),
        ("url", { $0.tls.authorityFile = "ca.pem" }),
        ("url", { ($0.servers.topology, $0.servers.database) = (.cluster, 1) }),
        ("passwordFile", { $0.servers.user = "shop" }),
        ("passwordFile", { $0.password = .file(path: "/nonexistent") }),
        ("sentinelPasswordFile", { $0.sentinelUser = "shop" }),
        ("name", { $0.hashTag = "" }), ("name", { $0.hashTag = "a}b" }),
        ("timeout", { $0.totalTimeout = .zero }), ("timeout", { $0.totalTimeout = .seconds(61) }),
        ("connectTimeout", { $0.connectTimeout = .zero }), ("idleTimeout", { $0.idleTimeout = .zero }),
        ("maximumPause", { $0.maximumPause = .milliseconds(99) }),
        ("primaryCheckInterval", { $0.primaryCheckInterval = .zero }),
        ("connections", { $0.maximumConnections = 0 }), ("connections", { $0.maximumConnections = 1025 }),
        ("maximumReplyBytes", { $0.maximumReplyBytes = 1 }),
    ]

    @Test("what cannot be is refused by its name, with a remedy", arguments: refused.indices)
    func refuses(index: Int) throws {
        let (field, change) = Self.refused[index]
        var settings = RedisSettings(RedisServers(.single, [.tcp("host", 6379)]))
        try settings.check()
        change(&settings)
        let error = #expect(throws: ConfigurationError.self) { try RedisClient(settings: settings) }
        #expect(error?.field == field && error?.remedy.isEmpty == false, "\(error?.description ?? "")")
    }
}
