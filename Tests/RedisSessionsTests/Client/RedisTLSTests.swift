import Foundation
import RESP
import Sessions
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Redis over TLS", .blocking)
struct RedisTLSTests {
    private let authority: TLSAuthority

    init() throws {
        authority = try TLSAuthority()
    }

    private func client(
        _ host: String, _ server: RedisServer, trusting authority: String?,
        _ change: (inout RedisSettings) -> Void = { _ in }
    ) throws -> RedisClient {
        var settings = RedisSettings(try RedisServers(url: "rediss://\(host):\(server.tlsPort!)"))
        settings.tls.authorityFile = authority
        settings.totalTimeout = .seconds(5)
        settings.connectTimeout = .seconds(2)
        change(&settings)
        return try RedisClient(settings: settings)
    }

    @Test(
        "a certificate for the name or the address is taken, whatever the size of the replies",
        arguments: ["localhost", "127.0.0.1"])
    func right(host: String) throws {
        let server = try RedisServer(tls: authority.issue("localhost", "127.0.0.1"))
        let client = try client(host, server, trusting: authority.certificate)
        let large = [UInt8](repeating: 7, count: 2 << 20)
        for _ in 0..<3 {
            let replies = try client.run([
                RedisCommand("SET", ["a", .bytes(large)], isRepeatable: true), .get("a"), .ping,
            ])
            #expect(replies == [.simple("OK"), .bulk(large), .simple("PONG")])
        }
        #expect(client.statistics.connects == 1)
        try server.restart(keepingData: false)
        #expect(try client.run(.increment("n")) == .integer(1))
    }

    @Test("for another name or address it is refused, and nothing was sent", arguments: ["localhost", "127.0.0.1"])
    func wrongName(host: String) throws {
        let server = try RedisServer(tls: authority.issue("redis.example", "127.0.0.2"))
        let client = try client(host, server, trusting: authority.certificate)
        let error = #expect(throws: RedisError.self) { try client.run(.increment("n")) }
        #expect(error?.code == .configuration && error?.isOutcomeUnknown == false)
        #expect(error?.message.contains("mismatch") == true, "\(error?.message ?? "")")
    }

    @Test("the name to look for can be given")
    func givenName() throws {
        let server = try RedisServer(tls: authority.issue("redis.example"))
        let client = try client("127.0.0.1", server, trusting: authority.certificate) {
            $0.tls.serverName = "redis.example"
        }
        #expect(try client.run(.ping) == .simple("PONG"))
    }

    @Test("an authority that is not trusted, the system's included", arguments: [true, false])
    func wrongAuthority(isSystem: Bool) throws {
        let other = try TLSAuthority()
        let server = try RedisServer(tls: authority.issue("localhost"))
        let client = try client("localhost", server, trusting: isSystem ? nil : other.certificate)
        let error = #expect(throws: RedisError.self) { try client.run(.ping) }
        #expect(error?.code == .configuration && error?.message.contains("certificate") == true)
    }

    @Test("an expired certificate")
    func expired() throws {
        let server = try RedisServer(tls: authority.issue("localhost", days: -1))
        let client = try client("localhost", server, trusting: authority.certificate)
        let error = #expect(throws: RedisError.self) { try client.run(.ping) }
        #expect(error?.code == .configuration && error?.message.contains("expired") == true)
    }

    @Test("a client's own certificate, where the server wants one")
    func ownCertificate() throws {
        let server = try RedisServer(["tls-auth-clients yes"], tls: authority.issue("localhost"))
        let nobody = try client("localhost", server, trusting: authority.certificate)
        let error = #expect(throws: RedisError.self) { try nobody.run(.ping) }
        #expect(error?.code == .configuration, "\(error?.message ?? "")")
        let identity = try authority.issue()
        let known = try client("localhost", server, trusting: authority.certificate) {
            ($0.tls.certificateFile, $0.tls.keyFile) = (identity.certificate, identity.key)
        }
        #expect(try known.run(.ping) == .simple("PONG"))
    }

    @Test("no TLS on one side is no way past it")
    func oneSided() throws {
        let server = try RedisServer(hasPort: true, tls: authority.issue("localhost"))
        let toPlain = try RedisClient(
            settings: RedisSettings(RedisServers(url: "rediss://localhost:\(server.port!)")))
        let error = #expect(throws: RedisError.self) { try toPlain.run(.increment("n")) }
        #expect([.configuration, .connection, .timeout].contains(error?.code))
        let toTLS = try RedisClient(settings: RedisSettings(RedisServers(url: "redis://localhost:\(server.tlsPort!)")))
        #expect(throws: RedisError.self) { try toTLS.run(.increment("n")) }
        #expect(try server.cli("GET", "n") == "")
    }

    @Test("a cluster whose nodes speak TLS only to clients and to each other: each key finds its node")
    func cluster() throws {
        let cluster = try RedisCluster(tls: authority.issue("127.0.0.1"))
        var servers = RedisServers(.cluster, [.tcp("127.0.0.1", UInt16(cluster.ports[0]))])
        servers.usesTLS = true
        var settings = RedisSettings(servers)
        settings.tls.authorityFile = authority.certificate
        settings.totalTimeout = .seconds(5)
        let slot = try cluster.slot(of: "{galleta}:x")
        let owner = try cluster.node(ofSlot: slot)
        let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        func increment(_ client: RedisClient) throws -> RESPValue {
            try client.run(
                RedisCommand(script, keys: [.text("{galleta}:x")], arguments: [1], isRepeatable: false))
        }
        let client = try RedisClient(settings: settings)
        #expect(try increment(client) == .integer(1))
        // The others are found by what the first one says, over TLS, too.
        let target = try #require(cluster.nodes.first { $0 !== owner })
        try cluster.move(slot: slot, to: target)
        #expect(try increment(client) == .integer(2))
        #expect(try target.cli("GET", "{galleta}:x") == "2")
    }

    @Test("sentinels that speak TLS only name the primary, also after a failover")
    func sentinels() throws {
        let sentinels = try RedisSentinels(tls: authority.issue("127.0.0.1"))
        var servers = RedisServers(
            .sentinel(primary: RedisSentinels.name), sentinels.ports.map { .tcp("127.0.0.1", UInt16($0)) })
        servers.usesTLS = true
        var settings = RedisSettings(servers)
        settings.tls.authorityFile = authority.certificate
        settings.totalTimeout = .seconds(5)
        let client = try RedisClient(settings: settings)
        try client.set("a", "1")
        let new = try sentinels.failOver()
        #expect(try eventually { try (try? client.set("a", "2")) != nil && new.cli("GET", "a") == "2" })
    }

    @Test("a dripping peer holds a handshake no longer than the deadline")
    func drip() throws {
        let server = try RedisServer(tls: authority.issue("localhost"))
        let proxy = try RedisProxy(toPort: server.tlsPort!)
        proxy.mode = .drip(every: .milliseconds(5))
        var settings = RedisSettings(try RedisServers(url: "rediss://localhost:\(proxy.port!)"))
        settings.tls.authorityFile = authority.certificate
        settings.connectTimeout = .milliseconds(200)
        let client = try RedisClient(settings: settings)
        let time = shortest(upTo: .milliseconds(270)) {
            let error = #expect(throws: RedisError.self) { try client.run(.increment("n")) }
            #expect(error?.code == .timeout && error?.isOutcomeUnknown == false)
        }
        #expect(time < .milliseconds(270), "\(time)")
    }

    @Test("an authority that is replaced in its file, and the server's certificate with it, need no restart")
    func replaced() throws {
        let old = try authority.issue("localhost")
        let (next, folder) = (try TLSAuthority(), try TemporaryFolder())
        let new = try next.issue("localhost")
        let files = [folder.file("ca.pem"), folder.file("server.crt"), folder.file("server.key")]
        func put(_ identity: TLSIdentity) throws {
            for (source, target) in zip([identity.authority, identity.certificate, identity.key], files) {
                try Data(contentsOf: URL(fileURLWithPath: source)).write(to: URL(fileURLWithPath: target))
            }
        }
        try put(old)
        let server = try RedisServer(
            [
                "tls-cert-file \(files[1])", "tls-key-file \(files[2])", "tls-ca-cert-file \(files[0])",
            ], tls: old)
        let client = try client("localhost", server, trusting: files[0])
        #expect(try client.run(.ping) == .simple("PONG"))
        try put(new)
        try server.restart()
        #expect(eventually(within: 5) { (try? client.run(.ping)) != nil })
    }

    @Test("files that are not what they should be are named")
    func files() throws {
        let identity = try authority.issue()
        var (noAuthority, noKey, wrongKey) = (RedisTLSSettings(), RedisTLSSettings(), RedisTLSSettings())
        noAuthority.authorityFile = identity.key
        noKey.certificateFile = identity.certificate
        (wrongKey.certificateFile, wrongKey.keyFile) = (identity.certificate, try authority.issue().key)
        for (settings, field) in [
            (noAuthority, "authorityFile"), (noKey, "keyFile"), (wrongKey, "keyFile"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try TLSContext(settings) }
            #expect(error?.field == field)
        }
    }
}
