internal import GalletaPlatform
internal import RESP
internal import Sessions

/// What ids lead to, in one round trip; those that rotations replaced are followed, a hop of all of them in one more.
struct RedisLookUp: RedisOperation {
    private let store: RedisStore
    private var findings: [SessionFinding]
    /// What is asked next.
    private var probes: [Probe]
    private var hops = 0

    /// One of the ids, on its way.
    private struct Probe {
        let position: Int
        var id: SessionID
        var digest: [UInt8]
        /// Where it has been, once it was an id that a rotation replaced.
        var trail: Trail?
    }

    /// An id that a rotation replaced, and how far it was followed.
    private struct Trail {
        let first: SessionID?
        let age: Duration
        var isInGrace: Bool

        init(_ alias: RedisAlias, of id: SessionID, at now: Int64) {
            first = alias.successor(of: id)
            age = .milliseconds(max(0, now - alias.rotated))
            isInGrace = now < alias.graceEnd
        }
    }

    /// - Parameter ids: At least one.
    init(_ ids: [SessionID], _ store: RedisStore) {
        self.store = store
        findings = Array(repeating: .none, count: ids.count)
        probes = ids.enumerated().map { Probe(position: $0.offset, id: $0.element, digest: $0.element.digest) }
    }

    mutating func commands() -> [RedisCommand] { probes.map { store.lookUp($0.digest) } }

    mutating func take(_ replies: [RESPValue], isRepeated: Bool) throws(SessionStoreError) -> [SessionFinding]? {
        guard replies.count == probes.count else { throw RedisStore.nonsense }
        var left: [Probe] = []
        for (probe, reply) in zip(probes, replies) {
            let (found, now) = try store.found(reply, fields: store.fields(of: probe.id))
            switch found {
            case .none: break
            case .alias(let alias):
                if let next = next(probe, alias, at: now) { left.append(next) }
            case .session(let metadata, let values):
                findings[probe.position] = finding(probe, metadata, values, at: now)
            }
        }
        probes = left
        hops += 1
        return probes.isEmpty || hops > RedisHops.limit ? findings : nil
    }

    private func next(_ probe: Probe, _ alias: RedisAlias, at now: Int64) -> Probe? {
        guard let successor = alias.successor(of: probe.id) else { return nil }
        var next = probe
        (next.id, next.digest) = (successor, successor.digest)
        if next.trail == nil {
            next.trail = Trail(alias, of: probe.id, at: now)
        } else if now >= alias.graceEnd {
            next.trail?.isInGrace = false
        }
        return next
    }

    private func finding(
        _ probe: Probe, _ metadata: RedisMetadata, _ values: SessionValues, at now: Int64
    ) -> SessionFinding {
        if let trail = probe.trail, !trail.isInGrace {
            return .retired(SessionRetirement(age: trail.age, successor: trail.first))
        }
        let successor = probe.trail == nil ? nil : probe.id
        return .found(store.record(metadata, values, of: probe.id, probe.digest, at: now, successor: successor))
    }
}
