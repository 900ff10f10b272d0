internal import RESP
public import Sessions

extension RedisProvider {
    /// Some of the live sessions. Two round trips a page; the walk is Redis's SCAN, over the whole database, so that a page of a
    /// database with other keys may be empty.
    public func sessions(from position: SessionListPosition?, limit: Int) throws -> SessionListPage {
        let command = RedisCommand(
            "SCAN",
            [
                .text(String(position?.rawValue ?? 0)), "MATCH", .text(store.keys.sessionPattern), "COUNT",
                .integer(Int64(max(1, min(limit, 1_000)))),
            ], isRepeatable: true)
        let call = store.call()
        guard let reply = try call.run([command]).first?.array, reply.count == 2,
            let next = reply[0].text.flatMap(UInt64.init), let keys = reply[1].array
        else { throw RedisStore.nonsense }
        let lookUps = keys.compactMap(\.bytes).map {
            RedisCommand(RedisScripts.lookUp, keys: [.bytes($0)], isRepeatable: true)
        }
        var page = SessionListPage(next: next == 0 ? nil : SessionListPosition(rawValue: next))
        guard !lookUps.isEmpty else { return page }
        for reply in try call.run(lookUps) {
            let (found, now) = try store.found(reply, fields: store.fieldsWithoutID)
            guard case .session(let metadata, let values) = found else { continue }
            page.sessions.append(metadata.record(values, at: now, successor: nil, lease: nil))
        }
        return page
    }
}
