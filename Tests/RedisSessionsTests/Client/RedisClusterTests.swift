import GalletaPlatform
import RESP
import TestSupport
import Testing

@testable import RedisSessions

@Suite("A cluster of Redis", .serialized, .blocking)
struct RedisClusterTests {
    private let cluster: RedisCluster
    private let slot: Int

    init() throws {
        cluster = try RedisCluster()
        slot = try cluster.slot(of: "{galleta}:x")
    }

    private func client(_ ports: [Int]? = nil) throws -> RedisClient {
        let addresses = (ports ?? cluster.ports).map { RedisAddress.tcp("127.0.0.1", UInt16($0)) }
        var settings = RedisSettings(RedisServers(.cluster, addresses))
        settings.totalTimeout = .seconds(2)
        settings.connectTimeout = .milliseconds(500)
        return try RedisClient(settings: settings)
    }

    private static let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")

    private func increment(_ key: String) -> RedisCommand {
        RedisCommand(Self.script, keys: [.text("{galleta}:\(key)")], arguments: [1], isRepeatable: false)
    }

    @Test("the slot is that of the hash tag, and its owner is found whichever node is asked")
    func owner() throws {
        #expect(slot == HashSlot.of("galleta".utf8))
        for port in cluster.ports {
            let client = try client([port])
            _ = try client.run(increment("x"))
            #expect(client.statistics.retries == 0)
        }
        #expect(try cluster.node(ofSlot: slot).cli("GET", "{galleta}:x") == "3")
    }

    @Test("a slot that moves: at each step scripts with one key work, also where the target lacks them")
    func moved() throws {
        let client = try client()
        for key in ["x", "y"] { _ = try client.run(increment(key)) }
        let source = try cluster.node(ofSlot: slot)
        let target = try #require(cluster.nodes.first { $0 !== source })
        var expected: Int64 = 1
        var steps: [RedisCluster.MoveStep] = []
        try cluster.move(slot: slot, to: target) { step in
            steps.append(step)
            expected += 1
            // Known keys, and a new one at each step, which the source does not have.
            let replies = try client.run([increment("x"), increment("y"), increment("new\(steps.count)")])
            #expect(replies == [.integer(expected), .integer(expected), .integer(1)], "\(step)")
            if step == .migrating { try target.cli("SCRIPT", "FLUSH") }
        }
        #expect(steps.last == .done && steps.count >= 6)
        #expect(try target.cli("GET", "{galleta}:x") == "\(expected)")
        // The map is followed once, not at each call.
        let before = client.statistics.retries
        for _ in 0..<20 { _ = try client.run(increment("x")) }
        #expect(client.statistics.retries == before)
    }

    @Test("keys on both sides of a move are tried again until the deadline, and no longer")
    func torn() throws {
        let client = try client()
        let source = try cluster.node(ofSlot: slot)
        let target = try #require(cluster.nodes.first { $0 !== source })
        for key in ["x", "y"] { _ = try client.run(increment(key)) }
        let both = RedisCommand("MGET", ["{galleta}:x", "{galleta}:y"], isRepeatable: true)
        var isTorn = false
        try cluster.move(slot: slot, to: target) { step in
            guard case .moved = step, !isTorn else { return }
            isTorn = true
            let time = shortest(upTo: .milliseconds(300)) {
                let error = #expect(throws: RedisError.self) { try client.run([both], within: .milliseconds(250)) }
                // On a busy machine the last attempt may have no time left for its answer.
                guard error?.code != .timeout else { return }
                #expect(error?.code == .notNow && error?.isOutcomeUnknown == false)
                #expect(error?.reply?.code == "TRYAGAIN")
            }
            #expect(time < .milliseconds(300))
        }
        #expect(isTorn)
        #expect(try client.run(both) == .array([.bulk([0x31]), .bulk([0x31])]))
    }

    @Test("a node that is gone is asked for no more than needed; the others say that the cluster is down")
    func down() throws {
        let client = try client()
        _ = try client.run(increment("x"))
        let owner = try cluster.node(ofSlot: slot)
        owner.kill()
        let error = #expect(throws: RedisError.self) { try client.run(increment("x"), within: .milliseconds(250)) }
        #expect(error?.code == .connection || error?.code == .notNow, "\(error?.message ?? "")")
        try owner.restart()
        #expect(eventually(within: 20) { (try? client.run(increment("y"))) != nil })
    }

    @Test("a slot that was moved by force from a dead node is found by asking the others")
    func refreshed() throws {
        let client = try client()
        _ = try client.run(increment("x"))
        let owner = try cluster.node(ofSlot: slot)
        let other = try #require(cluster.nodes.first { $0 !== owner })
        try cluster.move(slot: slot, to: other)
        owner.kill()
        #expect(eventually(within: 20) { (try? client.run(increment("x"))) != nil })
        #expect(client.statistics.calls < 2_000)
    }
}
