internal import GalletaPlatform
internal import RESP

/// One connection to a server. Any error ends it for good: a late reply never answers another call.
///
/// Threading: one thread at a time.
final class RedisConnection: @unchecked Sendable {
    // Safe: the pool hands it to one thread at a time, under its lock.
    let address: RedisAddress
    /// When it was given back to the pool.
    var idleSince = BootInstant(nanoseconds: 0)
    private let stream: RedisStream
    private var parser: RESPParser
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 16)
    private(set) var isOpen = true
    /// Digests of the scripts that this server is known to have.
    private var knownScripts: Set<String> = []
    private let counters: RedisCounters

    init(_ stream: RedisStream, address: RedisAddress, maximumReplyBytes: Int, counters: RedisCounters) {
        self.stream = stream
        self.address = address
        self.counters = counters
        parser = RESPParser(limits: RESPLimits(valueBytes: maximumReplyBytes))
    }

    deinit {
        buffer.deallocate()
    }

    func close() {
        isOpen = false
        stream.close()
    }

    /// Whether it can be used again: open, and nothing has come that nobody had asked for.
    var isQuiet: Bool { isOpen && stream.isQuiet }

    /// Sends encoded commands and waits for so many replies; errors of the server are among these.
    ///
    /// - Throws: Whatever goes wrong; the connection is closed then.
    func exchange(
        _ bytes: [UInt8], replies count: Int, by deadline: BootInstant
    ) throws(RedisError) -> [RESPValue] {
        guard isOpen else { throw RedisError(.connection, "the connection is closed") }
        counters.count(counters.roundTrips)
        var sent = 0
        do throws(RedisError) {
            do throws(RedisError) {
                try stream.send(bytes, by: deadline, sent: &sent)
            } catch {
                // It may have said why before it closed.
                guard error.code == .connection, let reason = lastWords() else { throw error }
                throw reason
            }
            let replies = try receive(count, by: deadline)
            if case .error(let reply)? = replies.first {
                let error = RedisError(reply: reply, isScript: false)
                // A greeting that refuses the connection, and no answer.
                if error.code == .connection {
                    sent = 0
                    throw error
                }
            }
            return replies
        } catch {
            close()
            throw error.afterSending(sent > 0).at(address)
        }
    }

    /// Why the server takes nothing any more, if it has said so.
    private func lastWords() -> RedisError? {
        do {
            let replies = try receive(1, by: .now.advanced(by: .milliseconds(1)))
            guard case .error(let reply)? = replies.first else { return nil }
            let error = RedisError(reply: reply, isScript: false)
            return error.code == .connection || error.code == .configuration ? error : nil
        } catch {
            // TLS has words of its own, as for a certificate that is missing.
            return error.code == .configuration ? error : nil
        }
    }

    private func receive(_ count: Int, by deadline: BootInstant) throws(RedisError) -> [RESPValue] {
        var replies: [RESPValue] = []
        replies.reserveCapacity(count)
        while true {
            do throws(RESPError) {
                while replies.count < count, let reply = try parser.next() { replies.append(reply) }
            } catch {
                guard !error.isSyntax else { throw RedisError(.protocol, "not RESP: \(error)") }
                var failure = RedisError(.protocol, "a reply with \(error)")
                // One session or list that is too large is no outage for all others.
                failure.countsAgainstServer = false
                throw failure
            }
            if replies.count == count { break }
            let received = try stream.receive(into: buffer, by: deadline)
            guard received > 0 else {
                // Refused before the replies that were asked for.
                if case .error(let reply)? = replies.first {
                    let error = RedisError(reply: reply, isScript: false)
                    if error.code == .connection { throw error }
                }
                throw RedisError(.connection, "the server has closed the connection")
            }
            parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<received]))
        }
        guard parser.isEmpty else { throw RedisError(.protocol, "a reply that nobody had asked for") }
        return replies
    }

    /// Runs commands in one round trip, and a second one for scripts which the server had not.
    ///
    /// With them those behind them, if all of these are repeatable and the order counts; else the missing scripts alone, after
    /// the others. Of several commands the first with a script is sent with its source unless the server is known to have
    /// it, so that this happens only after a `SCRIPT FLUSH`.
    ///
    /// - Parameters:
    ///   - inOrder: Whether a command must not be carried out before one that stands before it.
    ///   - asking: Whether `ASKING` precedes each command: the slot is on its way to this node.
    func run(
        _ commands: [RedisCommand], inOrder: Bool = true, asking: Bool = false, by deadline: BootInstant
    ) throws(RedisError) -> [RESPValue] {
        var sent: Set<String> = []
        let sourced = commands.map { command in
            guard commands.count > 1, let script = command.script, !knownScripts.contains(script.digest) else {
                return false
            }
            return sent.insert(script.digest).inserted
        }
        var replies = try send(commands, sourced, asking, by: deadline)
        var missing = replies.indices.filter { replies[$0].isNoScript }
        if !missing.isEmpty {
            let behind = missing[0]..<commands.count
            if inOrder, behind.allSatisfy({ commands[$0].isRepeatable }) { missing = Array(behind) }
            for index in missing { knownScripts.remove(commands[index].script?.digest ?? "") }
            let later: [RESPValue]
            do {
                later = try send(
                    missing.map { commands[$0] }, missing.map { _ in true }, asking, by: deadline)
            } catch {
                throw error.afterSending(missing.count < commands.count)
            }
            for (index, reply) in zip(missing, later) { replies[index] = reply }
        }
        for (command, reply) in zip(commands, replies) {
            if case .error(let error) = reply {
                // It is not, or no more, logged in: the next one will be.
                if error.code == "NOAUTH" { close() }
                continue
            }
            if let script = command.script { knownScripts.insert(script.digest) }
        }
        return replies
    }

    private func send(
        _ commands: [RedisCommand], _ sourced: [Bool], _ asking: Bool, by deadline: BootInstant
    ) throws(RedisError) -> [RESPValue] {
        var writer = RESPWriter()
        for (command, withSource) in zip(commands, sourced) {
            if asking { writer.bytes += Self.asking }
            command.write(to: &writer, withSource: withSource)
        }
        let replies = try exchange(writer.bytes, replies: asking ? 2 * commands.count : commands.count, by: deadline)
        // Every other one answers ASKING.
        return asking ? stride(from: 1, to: replies.count, by: 2).map { replies[$0] } : replies
    }

    private static let asking = Array("*1\r\n$6\r\nASKING\r\n".utf8)
}

extension RESPValue {
    fileprivate var isNoScript: Bool {
        if case .error(let reply) = self { reply.code == "NOSCRIPT" } else { false }
    }
}
