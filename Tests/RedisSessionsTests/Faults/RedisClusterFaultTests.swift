import GalletaPlatform
import RedisSessions
import TestSupport
import Testing

@Suite("Sessions in a cluster of Redis", .serialized, .blocking)
struct RedisClusterFaultTests {
    private func lab(
        _ name: String, _ cluster: RedisCluster, timeout: Duration = FaultTime.timeout
    ) throws -> FaultLab {
        var configuration = RedisProvider.Configuration()
        configuration.url = "redis://" + cluster.ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
        configuration.isCluster = true
        configuration.timeout = timeout
        configuration.connections = 8
        // Each key is moved by a process of its own: there shall not be too many.
        return try FaultLab(name, configuration, pace: 8)
    }

    /// Kills a node, and starts it again when the cluster has seen it.
    private func fail(_ node: RedisServer, of cluster: RedisCluster) throws {
        node.kill()
        try cluster.wait(for: .fail)
        try node.restart()
        try cluster.wait(for: .ok)
    }

    @Test("a slot that is moved: sessions go with it, and calls with two keys wait no longer than their deadline")
    func move() throws {
        let cluster = try RedisCluster(["rdbcompression no"])
        let lab = try lab("a slot moved", cluster)
        let slot = try cluster.slot(of: "{gal}")
        try lab.fault {
            let owner = try cluster.node(ofSlot: slot)
            let target = try #require(cluster.nodes.first { $0 !== owner })
            try cluster.move(slot: slot, to: target)
        }
        try lab.finish(cluster.nodes)
    }

    @Test(
        "the node that has the sessions is down: nothing is lost, and nothing mistaken for a session that is not there")
    func owner() throws {
        let cluster = try RedisCluster(["rdbcompression no", "appendonly yes", "appendfsync always"])
        let lab = try lab("the sessions' node down", cluster, timeout: FaultTime.diskTimeout)
        let node = try cluster.node(ofKey: "{gal}")
        try lab.fault(once: true) { try fail(node, of: cluster) }
        try lab.finish(cluster.nodes)
    }

    @Test("another node is down, and with it the cluster: the same")
    func other() throws {
        let cluster = try RedisCluster(["rdbcompression no"])
        let lab = try lab("another node down", cluster)
        let owner = try cluster.node(ofKey: "{gal}")
        let node = try #require(cluster.nodes.first { $0 !== owner })
        // It has its part in the cluster's file, and no sessions.
        try lab.fault(once: true) { try fail(node, of: cluster) }
        try lab.finish(cluster.nodes)
    }
}
