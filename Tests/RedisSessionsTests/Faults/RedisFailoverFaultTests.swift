import GalletaPlatform
import RedisSessions
import TestSupport
import Testing

@Suite("Sessions while sentinels replace the primary", .serialized, .blocking)
struct RedisFailoverFaultTests {
    @Test(
        "what the replica had not got is lost, and counted; what is acknowledged afterwards stays, whoever takes writes"
    )
    func failover() throws {
        let sentinels = try RedisSentinels(["rdbcompression no"])
        var configuration = RedisProvider.Configuration()
        configuration.url = "redis://" + sentinels.ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        configuration.sentinelPrimary = RedisSentinels.name
        configuration.timeout = FaultTime.timeout
        configuration.connections = 8
        // A busy machine is no reason for another failover.
        try sentinels.setPatience(60_000)
        let lab = try FaultLab("Sentinel's failover", configuration, pace: 3)
        // What was there before the fault is at the replica, too.
        let primary = try sentinels.primary()
        #expect(try primary.cli("WAIT", "1", "5000") == "1")
        var old: RedisServer?
        try lab.fault(once: true) {
            lab.book.mayLose = true
            let start = BootInstant.now.advanced(by: .milliseconds(-500))
            // The replica loses its primary a moment before all others do: they stay logged in, it cannot log in again.
            try sentinels.setPatience(1_000)
            try primary.cli("CONFIG", "SET", "requirepass", "nobody knows")
            try primary.cli("CLIENT", "KILL", "TYPE", "replica")
            lab.goOn(200)
            let killed = try sentinels.killPrimary()
            _ = try sentinels.primary(agreedBy: 3, otherThan: killed)
            try sentinels.setPatience(60_000)
            try lab.settle(lossSince: start)
            old = killed
        }
        #expect(lab.book.figures.lost > 0, "the test would show nothing")
        // It takes itself for the primary until a sentinel tells it, and nobody may believe it.
        let back = try #require(old)
        try lab.fault(isAway: false, once: true) {
            try back.restart(keepingData: false)
            #expect(try back.info("role") == "master")
            #expect(sentinels.isReplica(back))
        }
        try lab.finish(sentinels.servers)
    }
}
