import Glibc
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Addresses of Redis", .blocking)
struct RedisAddressTests {
    /// Whether this machine has the loopback of IPv6.
    private static let hasIPv6: Bool = {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        let fd = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
            }
        }
    }()

    @Test("IPv6, plain and by TLS with a certificate for the address", .enabled(if: hasIPv6))
    func ipv6() throws {
        let authority = try TLSAuthority()
        let server = try RedisServer(["bind 127.0.0.1 ::1"], hasPort: true, tls: authority.issue("::1"))
        for (scheme, port) in [("redis", server.port), ("rediss", server.tlsPort)] {
            var settings = RedisSettings(try RedisServers(url: "\(scheme)://[::1]:\(try #require(port))"))
            if scheme == "rediss" { settings.tls.authorityFile = authority.certificate }
            settings.totalTimeout = .seconds(5)
            let client = try RedisClient(settings: settings)
            #expect(try client.run(.ping) == .simple("PONG"))
        }
        // For another address it is not good.
        var settings = RedisSettings(try RedisServers(url: "rediss://127.0.0.1:\(try #require(server.tlsPort))"))
        settings.tls.authorityFile = authority.certificate
        let error = #expect(throws: RedisError.self) { try RedisClient(settings: settings).run(.ping) }
        #expect(error?.code == .configuration)
    }
}
