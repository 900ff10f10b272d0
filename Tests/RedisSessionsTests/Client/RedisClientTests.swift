import Foundation
import GalletaPlatform
import RESP
import Sessions
import TestSupport
import Testing

@testable import RedisSessions

@Suite("A client of Redis", .blocking)
struct RedisClientTests {
    @Test("commands of one call take one round trip, and their replies come in order")
    func pipeline() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        _ = try client.run(.ping)
        let before = client.statistics
        let large = [UInt8](repeating: 7, count: 3 << 20)
        let replies = try client.run([
            .set("a", "1"), .increment("a"), .get("a"), .get("none"),
            RedisCommand("SET", ["large", .bytes(large)], isRepeatable: true),
            RedisCommand("GET", ["large"], isRepeatable: true),
        ])
        #expect(replies == [.simple("OK"), .integer(2), .bulk([0x32]), .null, .simple("OK"), .bulk(large)])
        #expect(client.statistics.roundTrips == before.roundTrips + 1 && client.statistics.connects == 1)
    }

    @Test("by TCP, with a database, a user and a password out of a file that changes")
    func logIn() throws {
        let server = try RedisServer(
            ["user default off", "user shop on >first >second ~* +@all"], hasPort: true)
        let folder = try TemporaryFolder()
        let path = folder.file("password")
        try "first\n".write(toFile: path, atomically: true, encoding: .utf8)
        var settings = RedisSettings(try RedisServers(url: "redis://shop@localhost:\(server.port!)/3"))
        settings.password = .file(path: path)
        settings.totalTimeout = .seconds(5)
        settings.connectTimeout = .seconds(2)
        let client = try RedisClient(settings: settings)
        try client.set("a", "b")
        #expect(try server.cli("-n", "3", "GET", "a") == "b")

        try server.cli("ACL", "SETUSER", "shop", "<first")
        try server.cli("CLIENT", "KILL", "USER", "shop")
        try "second".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(try client.get("a") == "b")
    }

    @Test(
        "what is wrong in the configuration says so at once",
        arguments: ["redis://shop:wrong@", "redis://:wrong@", "redis://"])
    func wrongPassword(url: String) throws {
        let server = try RedisServer(["requirepass secret", "user shop on >secret ~* +@all"], hasPort: true)
        var settings = RedisSettings(try RedisServers(url: url + "127.0.0.1:\(server.port!)"))
        settings.totalTimeout = .seconds(5)
        let client = try RedisClient(settings: settings)
        let error = #expect(throws: RedisError.self) { try client.get("a") }
        #expect(error?.code == .configuration && error?.isOutcomeUnknown == false)
        #expect(error?.message.contains("wrong") == false)
    }

    @Test("a database that the server has not")
    func wrongDatabase() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket) { $0.servers.database = 999 }
        let error = #expect(throws: RedisError.self) { try client.get("a") }
        #expect(error?.code == .configuration)
    }

    @Test("a command without permission is an error of the configuration, with the connection as good as before")
    func permission() throws {
        let server = try RedisServer(["user default on nopass ~* +get"])
        let client = try RedisClient(server.socket)
        let error = #expect(throws: RedisError.self) { try client.set("a", "b") }
        #expect(error?.code == .configuration && error?.isOutcomeUnknown == false)
        #expect(try client.get("a") == nil)
        #expect(client.statistics.connects == 1)
    }

    @Test("a server without memory says so, and nothing was written")
    func outOfMemory() throws {
        let server = try RedisServer(["maxmemory 1"])
        let client = try RedisClient(server.socket)
        let error = #expect(throws: RedisError.self) { try client.set("a", "b") }
        #expect(error?.code == .outOfMemory && error?.isOutcomeUnknown == false)
        #expect(try client.get("a") == nil)
    }

    @Test("an error reply is thrown, without the arguments that it repeats")
    func otherError() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        let error = #expect(throws: RedisError.self) {
            try client.run([.set("a", "b"), RedisCommand("NOSUCH", ["private"], isRepeatable: true)])
        }
        #expect(error?.code == .reply && error?.reply?.code == "ERR" && error?.isOutcomeUnknown == true)
        #expect(error?.message.contains("private") == false)
    }

    @Test("a server that takes no more clients is one that cannot be reached")
    func tooManyClients() throws {
        let server = try RedisServer(["maxclients 1"])
        let first = try RedisClient(server.socket)
        _ = try first.run(.ping)
        let second = try RedisClient(server.socket) { $0.totalTimeout = .milliseconds(300) }
        let error = #expect(throws: RedisError.self) { try second.run(.increment("a")) }
        #expect(error?.code == .connection && error?.isOutcomeUnknown == false)
        #expect(error?.message.contains("max number of clients") == true)
    }

    @Test("a reply beyond the limit ends the connection, not the process")
    func largeReply() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket) { $0.maximumReplyBytes = 65_536 }
        _ = try client.run(
            RedisCommand("SET", ["a", .bytes([UInt8](repeating: 1, count: 70_000))], isRepeatable: true))
        let error = #expect(throws: RedisError.self) { try client.get("a") }
        #expect(error?.code == .protocol)
        #expect(try client.get("b") == nil)
    }

    @Test("nothing listens there", arguments: [true, false])
    func refused(isUnix: Bool) throws {
        let (fd, port) = try Loopback.reserve()
        defer { close(fd) }
        let folder = try TemporaryFolder()
        let address = isUnix ? RedisAddress.unix(folder.file("none")) : .tcp("127.0.0.1", port)
        let client = try RedisClient(settings: RedisSettings(RedisServers(.single, [address])))
        let error = #expect(throws: RedisError.self) { try client.run(.increment("a")) }
        #expect(error?.code == .connection && error?.isOutcomeUnknown == false)
    }

    @Test("a host without address, and no call waits for the resolver past its deadline")
    func unknownHost() throws {
        var settings = RedisSettings(try RedisServers(url: "redis://no-such-host.invalid"))
        settings.totalTimeout = .milliseconds(200)
        let client = try RedisClient(settings: settings)
        let time = shortest(upTo: .milliseconds(400)) {
            let error = #expect(throws: RedisError.self) { try client.run(.ping) }
            #expect(error?.code == .connection || error?.code == .timeout)
        }
        #expect(time < .milliseconds(400))
    }

    @Test("a closed client makes no more calls")
    func closed() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        _ = try client.run(.ping)
        client.close()
        #expect(throws: RedisError.self) { try client.run(.ping) }
        #expect(try eventually { try server.info("connected_clients") == "1" })
    }
}
