internal import GalletaPlatform
internal import RESP

/// Asks sentinels, or the nodes of a cluster, where the sessions are.
///
/// Threading: any thread; asking blocks, no longer than a deadline.
final class RedisDirectory: Sendable {
    private let connector: RedisConnector
    private let order: Locked<AddressOrder>
    private let question: Question

    private enum Question {
        case primary(name: String)
        case owner(slot: Int)
    }

    /// Of sentinels.
    init(sentinels: [RedisAddress], primary: String, connector: RedisConnector) {
        self.connector = connector
        order = Locked(AddressOrder(sentinels))
        question = .primary(name: primary)
    }

    /// Of a cluster.
    init(nodes: [RedisAddress], slot: Int, connector: RedisConnector) {
        self.connector = connector
        order = Locked(AddressOrder(nodes))
        question = .owner(slot: slot)
    }

    /// The server that has the sessions, by the first that answers.
    func locate(by deadline: BootInstant) throws(RedisError) -> RedisAddress {
        let addresses = order.withLock { $0.addresses }
        var failure: RedisError?
        for (index, address) in addresses.enumerated() {
            // A share each, and one for the connection to whom they name.
            let now = BootInstant.now
            let share = now.duration(to: deadline) / (addresses.count - index + 1)
            guard share > .zero else { break }
            do {
                return try ask(address, by: now.advanced(by: share))
            } catch {
                // What somebody has to mend is not hidden behind the next one that does not answer.
                if failure?.code != .configuration { failure = error }
            }
        }
        throw failure ?? RedisError(.timeout, "no time is left to ask where the sessions are")
    }

    private func ask(_ address: RedisAddress, by deadline: BootInstant) throws(RedisError) -> RedisAddress {
        let isSentinel = if case .primary = question { true } else { false }
        let connection = try connector.connect(to: address, for: isSentinel ? .sentinel : .data, by: deadline)
        defer { connection.close() }
        var writer = RESPWriter()
        switch question {
        case .primary(let name):
            writer.command([Array("SENTINEL".utf8), Array("GET-MASTER-ADDR-BY-NAME".utf8), Array(name.utf8)])
        case .owner:
            writer.command([Array("CLUSTER".utf8), Array("SLOTS".utf8)])
        }
        let reply: RESPValue
        do {
            reply = try connection.exchange(writer.bytes, replies: 1, by: deadline)[0]
        } catch {
            // Nothing but a question.
            var error = error
            error.isOutcomeUnknown = false
            throw error
        }
        if case .error(let text) = reply {
            var error = RedisError(reply: text, isScript: false)
            if error.code == .reply { error.code = .configuration }
            throw error.at(address)
        }
        switch question {
        case .primary(let name):
            let primary = try Self.primary(reply, name: name, by: address)
            order.withLock { $0.answered(address) }
            return primary
        case .owner(let slot):
            guard let slots = ClusterSlots(reply, slot: slot, by: address) else {
                throw RedisError(.protocol, "the reply to CLUSTER SLOTS makes no sense").at(address)
            }
            order.withLock { $0.learned(slots.nodes, by: address) }
            guard let owner = slots.owner else {
                throw RedisError(.notNow, "no node of the cluster has the slot \(slot)").at(address)
            }
            return owner
        }
    }

    /// The address in a sentinel's reply.
    static func primary(
        _ reply: RESPValue, name: String, by sentinel: RedisAddress
    ) throws(RedisError) -> RedisAddress {
        if reply == .null {
            throw RedisError(.configuration, "the sentinel knows no primary of the name \(name)").at(sentinel)
        }
        guard let parts = reply.array, parts.count == 2, let host = parts[0].text, !host.isEmpty,
            let port = parts[1].text.flatMap({ UInt16($0) }), port > 0,
            let address = RedisAddress(announcedHost: host, port: port, by: sentinel)
        else { throw RedisError(.protocol, "the sentinel's reply makes no sense").at(sentinel) }
        return address
    }
}
