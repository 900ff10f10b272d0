import Sessions
import Testing

@testable import RedisSessions

@Suite("The address of Redis")
struct RedisServersTests {
    static let good: [(String, RedisServers)] = {
        func servers(_ addresses: RedisAddress..., change: (inout RedisServers) -> Void = { _ in }) -> RedisServers {
            var servers = RedisServers(.single, addresses)
            change(&servers)
            return servers
        }
        return [
            ("redis://localhost", servers(.tcp("localhost", 6379))),
            ("redis://127.0.0.1:6380/", servers(.tcp("127.0.0.1", 6380))),
            ("redis://[::1]", servers(.tcp("::1", 6379))),
            ("redis://[2001:db8::1]:7000/3", servers(.tcp("2001:db8::1", 7000)) { $0.database = 3 }),
            ("redis://host?db=5", servers(.tcp("host", 6379)) { $0.database = 5 }),
            (
                "rediss://shop:p%40ss%2F%2C%25@redis.example:6390/2",
                servers(.tcp("redis.example", 6390)) {
                    ($0.usesTLS, $0.user, $0.password, $0.database) = (true, "shop", .text("p@ss/,%"), 2)
                }
            ),
            ("redis://:secret@host", servers(.tcp("host", 6379)) { $0.password = .text("secret") }),
            ("redis://shop@host", servers(.tcp("host", 6379)) { $0.user = "shop" }),
            ("redis://a:b:c@host", servers(.tcp("host", 6379)) { ($0.user, $0.password) = ("a", .text("b:c")) }),
            ("unix:///run/redis.sock", servers(.unix("/run/redis.sock"))),
            ("unix:///run/a@b.sock?db=1", servers(.unix("/run/a@b.sock")) { $0.database = 1 }),
            (
                "unix://u:p@/run/a%2cb%3f.sock",
                servers(.unix("/run/a,b?.sock")) { ($0.user, $0.password) = ("u", .text("p")) }
            ),
            (
                "redis://u:p@a,b:1,[::1]:2/4",
                servers(.tcp("a", 6379), .tcp("b", 1), .tcp("::1", 2)) {
                    ($0.user, $0.password, $0.database) = ("u", .text("p"), 4)
                }
            ),
            ("redis://a,redis://b", servers(.tcp("a", 6379), .tcp("b", 6379))),
            (
                "rediss://a/1,rediss://b/1",
                servers(.tcp("a", 6379), .tcp("b", 6379)) { ($0.usesTLS, $0.database) = (true, 1) }
            ),
        ]
    }()

    @Test("each way to write it", arguments: good)
    func parses(url: String, servers: RedisServers) throws {
        #expect(try RedisServers(url: url) == servers)
    }

    @Test(
        "what cannot be is refused with the setting's name and a remedy, and without the password",
        arguments: [
            "", "localhost", "http://secret@host", "secret://host", "redis://", "redis://:secret@",
            "redis://u:secret@:1",
            "redis://host:0", "redis://host:65536", "redis://host:+1", "redis://host:", "redis://::1", "redis://[::1",
            "redis://[::1]x", "redis://host/x", "redis://host/-1", "redis://host/65536", "redis://host/1/2",
            "redis://host?secret=1", "redis://u:secret%@host", "redis://u:secret%4@host", "redis://u:secret%ff@host",
            "redis://u:se/cret@host", "redis://u:secret,x@host", "redis://ho st", "redis://ho\nst", "redis://a,a",
            "redis://a,,b",
            "redis://a,rediss://b", "redis://a/1,b/2", "redis://u:secret@a,redis://u:other@b", "redis://a,unix:///b",
            "unix://run/redis.sock", "unix:///\(String(repeating: "a", count: 107))", "unix:///a%00b",
        ])
    func refuses(url: String) {
        let error = #expect(throws: ConfigurationError.self) { try RedisServers(url: url, field: "redis") }
        #expect(error?.field == "redis")
        for secret in ["secret", "se/cret", "cret", "other"] { #expect(error?.description.contains(secret) == false) }
        #expect(error?.remedy.isEmpty == false)
    }

    @Test("sentinels have a port of their own")
    func sentinelPort() throws {
        let servers = try RedisServers(url: "redis://a,b:1", topology: .sentinel(primary: "main"))
        #expect(servers.addresses == [.tcp("a", 26379), .tcp("b", 1)])
    }

    @Test("a cluster has no second database, sentinels need a name")
    func topologies() throws {
        let database = try RedisServers(url: "redis://a/1", topology: .cluster)
        #expect(throws: ConfigurationError.self) { try database.check() }
        let unnamed = try RedisServers(url: "redis://a", topology: .sentinel(primary: ""))
        #expect(throws: ConfigurationError.self) { try unnamed.check() }
        #expect(throws: ConfigurationError.self) { try RedisServers(.single, []).check() }
    }

    @Test(
        "the address that another server names",
        arguments: [
            ("10.0.0.1:6379", RedisAddress.tcp("10.0.0.1", 6379)), ("::1:7000", .tcp("::1", 7000)),
            (":7001", .tcp("asked", 7001)), ("?:7001", .tcp("asked", 7001)),
            ("redis.example:1", .tcp("redis.example", 1)),
            ("host", nil), ("host:0", nil), ("host:x", nil), ("", nil), ("a b:1", nil),
        ])
    func announced(text: String, address: RedisAddress?) {
        #expect(RedisAddress(announced: text, by: .tcp("asked", 6379)) == address)
    }
}
