import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("Scripts", .blocking)
struct RedisScriptTests {
    private static let increment = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    private static let read = RedisScript("return redis.call('GET', KEYS[1])")

    private func increment(_ key: String, by number: Int64) -> RedisCommand {
        RedisCommand(Self.increment, keys: [.text(key)], arguments: [.integer(number)], isRepeatable: false)
    }

    private func read(_ key: String) -> RedisCommand {
        RedisCommand(Self.read, keys: [.text(key)], isRepeatable: true)
    }

    @Test("the digest is the one that the server computes")
    func digest() throws {
        let server = try RedisServer()
        #expect(try server.cli("SCRIPT", "LOAD", Self.increment.source) == Self.increment.digest)
    }

    @Test("a script that the server has not costs one round trip more, once")
    func missing() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        _ = try client.run(.ping)
        var trips: [Int] = []
        for _ in 0..<3 {
            let before = client.statistics.roundTrips
            _ = try client.run(increment("a", by: 2))
            trips.append(client.statistics.roundTrips - before)
        }
        #expect(trips == [2, 1, 1])
        #expect(try client.get("a") == "6")
    }

    @Test("after SCRIPT FLUSH each is sent again, and nothing is done twice")
    func flushed() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        for _ in 0..<3 {
            let replies = try client.run([increment("a", by: 1), increment("b", by: 1), .get("c")])
            #expect(replies.last == .null)
            try server.cli("SCRIPT", "FLUSH")
        }
        #expect(try client.get("a") == "3" && client.get("b") == "3")
    }

    @Test("several commands of a new connection keep their order")
    func order() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        let replies = try client.run([increment("a", by: 1), read("a"), .get("a"), increment("a", by: 1)])
        #expect(replies == [.integer(1), .bulk([0x31]), .bulk([0x31]), .integer(2)])
    }

    @Test("an error inside a script leaves open what it has done")
    func failure() throws {
        let server = try RedisServer()
        let client = try RedisClient(server.socket)
        let script = RedisScript("redis.call('SET', KEYS[1], 'x') return redis.call('INCR', KEYS[1])")
        let error = #expect(throws: RedisError.self) {
            try client.run(RedisCommand(script, keys: ["a"], isRepeatable: true))
        }
        #expect(error?.code == .reply && error?.isOutcomeUnknown == true)
    }
}
