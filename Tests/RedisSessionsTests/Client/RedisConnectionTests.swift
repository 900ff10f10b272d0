import GalletaPlatform
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("A peer that does not keep to the protocol", .blocking)
struct RedisConnectionTests {
    @Test(
        "ends the connection, and what it says answers no other call",
        arguments: [
            "+OK\r\n+EXTRA\r\n", "+OK\r\n+", "+OK\n", "HTTP/1.1 400 Bad Request\r\n", "$-2\r\n", "*9999999\r\n", "",
            "$5\r\nab", ":1",
        ])
    func nonsense(reply: String) throws {
        let server = try ScriptedServer([reply])
        let client = try RedisClient(server.path)
        for number in 1...3 {
            let error = #expect(throws: RedisError.self) { try client.run(.increment("a")) }
            #expect(error?.code == .protocol || error?.code == .connection)
            #expect(error?.isOutcomeUnknown == true && client.statistics.connects == number)
        }
    }

    @Test("a reply that comes when nothing was asked ends the connection as well")
    func unasked() throws {
        let server = try RedisServer()
        let settings = RedisSettings.test(server.socket)
        let connector = try RedisConnector(settings: settings, counters: RedisCounters())
        let deadline = BootInstant.now.advanced(by: .seconds(20))
        let connection = try connector.connect(to: settings.servers.addresses[0], for: .data, by: deadline)
        var writer = RESPWriter()
        RedisCommand("SUBSCRIBE", ["channel"], isRepeatable: true).write(to: &writer, withSource: false)
        _ = try connection.exchange(writer.bytes, replies: 1, by: deadline)
        #expect(connection.isQuiet)
        try server.cli("PUBLISH", "channel", "news")
        #expect(eventually { !connection.isQuiet })
        let pool = RedisPool(address: connection.address, limit: 1, idleTimeout: .seconds(60))
        guard case .room = try pool.take(by: deadline) else { throw TestFailure(description: "no room") }
        pool.give(connection)
        guard case .room = try pool.take(by: deadline) else { throw TestFailure(description: "it was used again") }
        #expect(!connection.isOpen)
        #expect(throws: RedisError.self) { try connection.exchange(writer.bytes, replies: 1, by: deadline) }
    }

    @Test("replies in the order of the commands, across many sizes")
    func sizes() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        for size in [0, 1, 16_381, 16_382, 16_383, 16_384, 65_535, 65_536, 1 << 20] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let echo = RedisCommand("ECHO", [.bytes(bytes)], isRepeatable: true)
            #expect(try client.run([echo, .ping, echo]) == [.bulk(bytes), .simple("PONG"), .bulk(bytes)])
        }
        #expect(client.statistics.connects == 1)
    }
}
