import TestSupport

/// One thing that a peer may do to a server, and what has to come of it.
struct HostilePeer: CustomStringConvertible, Sendable {
    /// What the peer sees at the end.
    enum Outcome: Sendable, Equatable {
        /// The connection is closed without an answer.
        case closed
        /// An answer of this status.
        case answered(Int)
        /// An answer of this status, and the connection is closed.
        case refused(Int)
        /// No answer, but END_REQUEST with this protocol status, and the connection is closed.
        case ended(UInt8)
        /// The connection ends, with what was sent before or without.
        case cut
        /// Nothing: the peer has gone, or the server waits for it.
        case nothing
    }

    /// What comes of bytes that are refused for this reason.
    static func outcome(of hostile: HostileBytes) -> Outcome {
        switch hostile.reason {
        case "tooLarge", "tooMany": .refused(431)
        case "pairLength", "pairName", "pairValue", "recordType", "body": .refused(400)
        case "role": .ended(3)
        case "foreignID", "pipelined": .ended(1)
        case "management": .cut
        default: .closed
        }
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
            case .refused(let status):
                let reply = try client.reply()
                guard reply.status == status, !reply.isCut else { return "the answer was \(reply.status ?? 0)" }
                return try client.isClosedByServer() ? nil : "the connection was left open"
            case .ended(let status):
                let reply = try client.reply()
                guard reply.protocolStatus == status, reply.output.isEmpty else {
                    return "it ended with \(reply.protocolStatus ?? 255)"
                }
                return try client.isClosedByServer() ? nil : "the connection was left open"
            case .answered(let status):
                let reply = try client.reply()
                return reply.status == status && !reply.isCut ? nil : "the answer was \(reply.status ?? 0)"
            }
        } catch {
            return "\(error)"
        }
    }
}
