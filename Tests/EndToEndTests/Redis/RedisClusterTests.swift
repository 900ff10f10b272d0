import TestSupport
import Testing

@Suite("The tests' own cluster")
struct RedisClusterTests {
    @Test("a slot moves step by step, keys and all", .timeLimit(.minutes(2)))
    func move() throws {
        let cluster = try RedisCluster(["requirepass secret"])
        let source = try cluster.node(ofKey: "{tag}1")
        let target = try #require(cluster.nodes.first { $0 !== source })
        try source.cli("SET", "{tag}1", "one")
        try source.cli("SET", "{tag}2", "two")
        var steps: [RedisCluster.MoveStep] = []
        try cluster.move(slot: cluster.slot(of: "{tag}"), to: target) { step throws in
            steps.append(step)
            switch step {
            case .migrating:
                #expect(try source.cli("GET", "{tag}1") == "one")
                #expect(throws: TestFailure.self) { try source.cli("GET", "{tag}3") }
            case .moved(let key):
                let failure = #expect(throws: TestFailure.self) { try source.cli("GET", key) }
                #expect(failure?.description.hasPrefix("ASK ") == true)
            case .assigned:
                #expect(try target.cli("GET", "{tag}1") == "one")
            case .importing, .done:
                break
            }
        }
        #expect(steps.count == 6)
        #expect(steps[...1] == [.importing, .migrating])
        #expect(steps[4...] == [.assigned, .done])
        #expect(try cluster.node(ofKey: "{tag}2") === target)
        let failure = #expect(throws: TestFailure.self) { try source.cli("GET", "{tag}1") }
        #expect(failure?.description.hasPrefix("MOVED ") == true)
    }

    @Test("a killed node takes the cluster down until it is back; all ends with its object", .timeLimit(.minutes(2)))
    func kill() throws {
        var cluster: RedisCluster? = try RedisCluster(["appendonly yes", "appendfsync always"])
        var pids: [Int32] = []
        if let cluster {
            let node = try cluster.node(ofKey: "key")
            try node.cli("SET", "key", "1")
            node.kill()
            try cluster.wait(for: .fail)
            let other = try #require(cluster.nodes.first { $0 !== node })
            let failure = #expect(throws: TestFailure.self) { try other.cli("GET", "key") }
            #expect(failure?.description.hasPrefix("CLUSTERDOWN ") == true)
            try node.restart()
            try cluster.wait(for: .ok)
            #expect(try node.cli("GET", "key") == "1")
            pids = cluster.nodes.map(\.pid)
            #expect(pids.allSatisfy { isAlive($0) })
        }
        cluster = nil
        #expect(!pids.contains { isAlive($0) })
    }
}
