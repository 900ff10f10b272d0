import Glibc

/// Three nodes of a Redis cluster without replicas, on free ports of 127.0.0.1, with the slots shared out.
///
/// A node is taken for dead after two seconds. ``RedisServer/kill()`` and ``RedisServer/restart(keepingData:)`` are for its
/// nodes, too; without its data a node is no longer of the cluster. All ends with this object. Safe from any thread.
public final class RedisCluster: Sendable {
    /// What has been done of a slot's move.
    public enum MoveStep: Sendable, Equatable {
        /// The target takes commands for the slot after ASKING.
        case importing
        /// The source answers ASK for keys that it has not.
        case migrating
        /// This key is at the target.
        case moved(key: String)
        /// The target knows that the slot is its own; the source does not know of it.
        case assigned
        /// All nodes know.
        case done
    }

    public let nodes: [RedisServer]

    /// - Parameters:
    ///   - lines: Lines of redis.conf for each node.
    ///   - tls: What all nodes show, to clients and to each other; nil: they talk plainly.
    public init(_ lines: [String] = [], tls: TLSIdentity? = nil) throws {
        nodes = try (0..<3).map { _ in try RedisServer(lines, as: .clusterNode, hasPort: true, tls: tls) }
        // What `redis-cli --cluster create` does, without its pauses: 2 s in place of 6.
        for (index, slots) in [0...5460, 5461...10_922, 10_923...16_383].enumerated() {
            try nodes[index].cli(
                "CLUSTER", "ADDSLOTSRANGE", String(slots.lowerBound), String(slots.upperBound))
            try nodes[index].cli("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1))
        }
        // On a busy machine a handshake may run out of its time.
        for attempt in 1... {
            for (one, other) in [(0, 1), (0, 2), (1, 2)] { try nodes[one].meet(nodes[other]) }
            if try eventually(within: 5, { try nodes.allSatisfy { try $0.isInWholeCluster } }) { break }
            guard attempt < 5 else { throw TestFailure(description: "the nodes do not meet: \(nodes[0].log)") }
        }
    }

    /// The nodes' ports.
    public var ports: [Int] { nodes.compactMap(\.servedPort) }

    /// The slot of a key.
    public func slot(of key: String) throws -> Int {
        try Int(witness().cli("CLUSTER", "KEYSLOT", key)) ?? -1
    }

    /// The node that a slot belongs to.
    public func node(ofSlot slot: Int) throws -> RedisServer {
        let view = try witness().cli("CLUSTER", "NODES")
        for line in view.split(separator: "\n") {
            // Id, address, flags, primary, ping, pong, epoch, link, then the slots; moves are in brackets.
            let words = line.split(separator: " ")
            for range in words.dropFirst(8) where !range.hasPrefix("[") {
                let ends = range.split(separator: "-").compactMap { Int($0) }
                guard let first = ends.first, let last = ends.last, (first...last).contains(slot) else { continue }
                if let node = nodes.first(where: { Self.is($0, at: words[1]) }) { return node }
            }
        }
        throw TestFailure(description: "nobody has the slot \(slot): \(view)")
    }

    /// The node that a key belongs to.
    public func node(ofKey key: String) throws -> RedisServer {
        try node(ofSlot: slot(of: key))
    }

    /// Moves a slot with its keys to a node.
    ///
    /// - Parameter hook: Called after each step, on this thread; what it throws ends the move where it stands.
    public func move(
        slot: Int, to target: RedisServer, after hook: (MoveStep) throws -> Void = { _ in }
    ) throws {
        let source = try node(ofSlot: slot)
        let (sourceID, targetID) = try (id(of: source), id(of: target))
        let number = String(slot)
        try target.cli("CLUSTER", "SETSLOT", number, "IMPORTING", sourceID)
        try hook(.importing)
        try source.cli("CLUSTER", "SETSLOT", number, "MIGRATING", targetID)
        try hook(.migrating)
        while case let key = try source.cli("CLUSTER", "GETKEYSINSLOT", number, "1"), !key.isEmpty {
            try source.cli(
                [
                    "MIGRATE", "127.0.0.1", String(target.servedPort ?? 0), key, "0", "5000", "AUTH2",
                    RedisServer.ownUser,
                    "any",
                ])
            try hook(.moved(key: key))
        }
        try target.cli("CLUSTER", "SETSLOT", number, "NODE", targetID)
        try hook(.assigned)
        for node in nodes where node !== target && node.isRunning {
            try node.cli("CLUSTER", "SETSLOT", number, "NODE", targetID)
        }
        try hook(.done)
    }

    /// How a node sees the whole.
    public enum State: String, Sendable {
        case ok, fail
    }

    /// Waits until all nodes that run see the cluster so: `fail` comes some seconds after a node is gone, `ok` some after
    /// it is back.
    public func wait(for state: State, within seconds: Double = 30) throws {
        let hasCome = try eventually(within: seconds) {
            try nodes.filter(\.isRunning).allSatisfy {
                try $0.cli("CLUSTER", "INFO").contains("cluster_state:\(state.rawValue)")
            }
        }
        guard hasCome else { throw TestFailure(description: "the cluster's state does not become \(state)") }
    }

    /// A node names another by the plain port to whoever asks without TLS.
    private static func `is`(_ node: RedisServer, at address: some StringProtocol) -> Bool {
        [node.port, node.tlsPort].contains { $0.map { address.contains(":\($0)@") } ?? false }
    }

    private func id(of node: RedisServer) throws -> String {
        try node.cli("CLUSTER", "MYID")
    }

    /// A node that can be asked about the others.
    private func witness() throws -> RedisServer {
        guard let node = nodes.first(where: \.isRunning) else { throw TestFailure(description: "no node runs") }
        return node
    }
}

extension RedisServer {
    fileprivate func meet(_ other: RedisServer) throws {
        try cli("CLUSTER", "MEET", "127.0.0.1", String(other.servedPort ?? 0), String(other.busPort ?? 0))
    }

    fileprivate var isInWholeCluster: Bool {
        get throws {
            let info = try cli("CLUSTER", "INFO")
            return ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:3"].allSatisfy(info.contains)
        }
    }
}
