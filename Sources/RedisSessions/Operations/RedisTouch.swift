internal import GalletaPlatform
internal import RESP
internal import Sessions

/// Notes a visit.
struct RedisTouch: RedisOperation {
    private let store: RedisStore
    private var hops: RedisHops

    init(_ session: SessionHandle, _ store: RedisStore) {
        self.store = store
        hops = RedisHops(session)
    }

    func commands() -> [RedisCommand] {
        let key = store.keys.session(hops.session.digest)
        return [RedisCommand(RedisScripts.touch, keys: [.bytes(key)], isRepeatable: true)]
    }

    mutating func take(_ replies: [RESPValue], isRepeated: Bool) throws(SessionStoreError) -> SessionTouch? {
        guard let reply = replies.first else { throw RedisStore.nonsense }
        let (word, rest) = try reply.outcome()
        switch word {
        case "touched":
            return .touched(remaining: .milliseconds(rest.first?.time ?? 0), successor: hops.successor)
        case "alias": return try hops.follow(rest) ? nil : .gone
        case "gone": return .gone
        default: throw RedisStore.nonsense
        }
    }
}
