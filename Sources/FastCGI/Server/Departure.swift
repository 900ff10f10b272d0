internal import GalletaPlatform

/// An answer that the connection does not take at once.
///
/// It waits with its connection in the epoll set until there is room: a peer that reads slowly, or not at all, holds no
/// worker. (nginx reads answers as they come; Apache and Caddy read as slowly as their client does.)
///
/// Threading: used by the worker that holds the connection; between two of them it lies in the connection's slot.
final class Departure {
    /// The request's head, for its summary.
    let context: RequestContext
    let startedAt: BootInstant
    /// The end of the time for body, handler and answer together.
    let deadline: BootInstant
    /// When the connection took something last.
    private(set) var progressAt: BootInstant
    private var answer: OutgoingAnswer
    /// Bytes that came behind the request: the next one's.
    var following: [UInt8] = []

    init(
        _ answer: consuming OutgoingAnswer, _ context: RequestContext, startedAt: BootInstant, deadline: BootInstant
    ) {
        self.answer = answer
        self.context = context
        self.startedAt = startedAt
        self.deadline = deadline
        progressAt = .now
    }

    var status: Int { answer.status }

    /// The connection can carry another request; known once the answer is sent.
    var endsKept: Bool { answer.endsKept }

    /// Sends what the connection takes now.
    func send(on fd: Int32, isServing: () -> Bool) -> OutgoingAnswer.Progress {
        let before = answer.sentBytes
        let progress = answer.send(on: fd, isServing: isServing)
        if answer.sentBytes > before { progressAt = .now }
        return progress
    }
}
