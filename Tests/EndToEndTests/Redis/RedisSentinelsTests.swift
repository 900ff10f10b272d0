import TestSupport
import Testing

@Suite("The tests' own sentinels")
struct RedisSentinelsTests {
    @Test("a killed primary is replaced, and a replica once it is back", .timeLimit(.minutes(2)))
    func failover() throws {
        let sentinels = try RedisSentinels(password: "secret")
        #expect(try sentinels.primary() === sentinels.servers[0])
        try sentinels.servers[0].cli("SET", "key", "1")
        #expect(try sentinels.servers[0].cli("WAIT", "1", "5000") == "1")

        let old = try sentinels.killPrimary()
        #expect(old === sentinels.servers[0])
        let primary = try sentinels.primary(otherThan: old)
        #expect(primary === sentinels.servers[1])
        #expect(try primary.cli("INCR", "key") == "2")

        try old.restart()
        #expect(sentinels.isReplica(old))
        #expect(try old.cli("GET", "key") == "2")
        #expect(try sentinels.failOver() === old)
    }

    @Test("all of it ends with its object", .timeLimit(.minutes(2)))
    func end() throws {
        var sentinels: RedisSentinels? = try RedisSentinels()
        let pids = try #require(sentinels).servers.map(\.pid) + #require(sentinels).sentinels.map(\.pid)
        #expect(pids.allSatisfy { isAlive($0) })
        sentinels = nil
        #expect(!pids.contains { isAlive($0) })
    }
}
