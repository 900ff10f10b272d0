import TestSupport

/// One thing that a peer may do to a server, and what has to come of it.
struct HostilePeer: CustomStringConvertible, Sendable {
    /// What the peer sees at the end.
    enum Outcome: Sendable, Equatable {
        /// The connection is closed without an answer.
        case closed
        /// An answer of this status.
        case answered(Int)
        /// The connection ends, with what was sent before or without.
        case cut
        /// Nothing: the peer has gone, or the server waits for it.
        case nothing
    }

    let description: String
    let outcome: Outcome
    let play: @Sendable (FastCGIClient) throws -> Void

    init(_ description: String, _ outcome: Outcome, _ play: @escaping @Sendable (FastCGIClient) throws -> Void) {
        self.description = description
        self.outcome = outcome
        self.play = play
    }

    /// Plays it on a connection; nil if all came as it has to, else what came instead.
    func complaint(on client: FastCGIClient) -> String? {
        // The server may have closed the connection before all was sent: what counts is what it does.
        try? play(client)
        do {
            switch outcome {
            case .nothing: return nil
            case .cut: return try client.isClosedByServer() ? nil : "the connection was left open"
            case .closed:
                let reply = try client.reply()
                return reply.isCut && reply.output.isEmpty ? nil : "it was answered: \(reply.status ?? 0)"
            case .answered(let status):
                let reply = try client.reply()
                return reply.status == status && !reply.isCut ? nil : "the answer was \(reply.status ?? 0)"
            }
        } catch {
            return "\(error)"
        }
    }
}
