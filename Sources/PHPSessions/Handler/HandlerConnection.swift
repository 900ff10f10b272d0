internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import RESP

/// A connection of PHP's redis handler: its bytes, in and out, in the order of its commands.
///
/// For the server's thread.
final class HandlerConnection {
    /// What it waits for before it says anything more.
    private enum Parked {
        case lock(IDDigest, deadline: BootInstant)
        /// With the answer to give when what it has changed is on the disk.
        case journal(RESPValue)
    }

    /// Answers that are not read; no further command is looked at beyond them.
    private static let outputLimit = 65_536

    let descriptor: Int32
    private var conversation: HandlerConversation
    private var parser: RESPParser
    private var writer = RESPWriter()
    /// What of the writer's bytes has been sent.
    private var sent = 0
    private var parked: Parked?
    private var endsAfterAnswers = false
    private let patience: Duration
    private let settled: @Sendable (Bool) -> Void
    /// When something last went on.
    private(set) var lastProgress = BootInstant.now
    /// Nothing more will come of it.
    private(set) var isOver = false

    /// - Parameters:
    ///   - descriptor: Non-blocking; this object's to close.
    ///   - settled: Called on any thread when it is known whether what it has changed is on the disk.
    ///   - commandBytes: Of the longest command.
    ///   - patience: How long a command waits for a lock.
    init(
        descriptor: Int32, _ conversation: HandlerConversation, settled: @escaping @Sendable (Bool) -> Void,
        commandBytes: Int, patience: Duration
    ) {
        self.descriptor = descriptor
        self.conversation = conversation
        self.patience = patience
        self.settled = settled
        var limits = RESPLimits(valueBytes: commandBytes)
        limits.elements = 8
        limits.depth = 1
        parser = RESPParser(limits: limits)
    }

    deinit {
        conversation.end()
        close(descriptor)
    }

    /// POLLRDHUP, which Glibc does not show to Swift.
    private static let hangUp: Int16 = 0x2000

    /// What to wait for.
    var events: Int16 {
        if sent < writer.bytes.count { return Int16(POLLOUT) | Self.hangUp }
        // A page that died must be noticed while it waits; what it has said further on is not looked at.
        return parked == nil ? Int16(POLLIN) | Self.hangUp : Self.hangUp
    }

    /// Until when it waits for a lock.
    var lockDeadline: BootInstant? {
        guard case .lock(_, let deadline) = parked else { return nil }
        return deadline
    }

    /// Whether the other side owes it something: the rest of a command, or to read an answer.
    var isStalled: Bool { sent < writer.bytes.count || (parked == nil && !parser.isEmpty) }

    /// Whose lock it waits for.
    var awaitedLock: IDDigest? {
        guard case .lock(let digest, _) = parked else { return nil }
        return digest
    }

    /// Whether a page is not done with its session: it has a lock or awaits one, or the disk, or has read what it has not written.
    var isUnderWay: Bool { !isOver && (parked != nil || sent < writer.bytes.count || conversation.isUnderWay) }

    // MARK: Going on

    func handle(_ events: Int16) {
        if events & Int16(POLLERR | POLLNVAL) != 0 { isOver = true }
        // There may be commands before the end; but who waits, or has left answers unread, is gone.
        if events & (Int16(POLLHUP) | Self.hangUp) != 0, parked != nil || sent < writer.bytes.count { isOver = true }
        guard !isOver else { return }
        if events & Int16(POLLIN | POLLHUP) != 0 || events & Self.hangUp != 0, parked == nil { receive() }
        proceed()
    }

    /// The lock that it waits for may be its own by now.
    func lockMayBeGranted() {
        guard let lock = awaitedLock, let answer = conversation.answerOfLock(lock) else { return }
        parked = nil
        writer.value(answer)
        proceed()
    }

    /// It has waited for long enough.
    func giveUpLock() {
        guard let lock = awaitedLock else { return }
        parked = nil
        writer.value(conversation.giveUp(lock))
        proceed()
    }

    /// What it has changed is on the disk, or cannot be put there.
    func settle(_ isSettled: Bool) {
        guard case .journal(let answer) = parked else { return }
        parked = nil
        writer.value(isSettled ? answer : HandlerConversation.unsaved)
        proceed()
    }

    /// Nothing more is wanted of it.
    func end() {
        isOver = true
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer in
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                lastProgress = .now
            } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
                isOver = true
            }
        }
    }

    /// Answers what has come, as far as it may.
    private func proceed() {
        repeat {
            answer()
            send()
        } while !isOver && writer.bytes.isEmpty && parked == nil && hasMore
        if endsAfterAnswers, writer.bytes.isEmpty { isOver = true }
    }

    /// Whether the last look at the commands has left some.
    private var hasMore = false

    private func answer() {
        hasMore = false
        while !isOver, parked == nil, !endsAfterAnswers {
            guard writer.bytes.count < Self.outputLimit else {
                hasMore = true
                return
            }
            do throws(RESPError) {
                guard let words = try parser.nextCommand() else { return }
                switch conversation.answer(words) {
                case .reply(let value): writer.value(value)
                case .farewell(let value):
                    writer.value(value)
                    endsAfterAnswers = true
                case .waits(let digest): parked = .lock(digest, deadline: .now.advanced(by: patience))
                case .settles(let journalEnd, let value):
                    parked = .journal(value)
                    conversation.settle(journalEnd, settled)
                }
            } catch {
                writer.value(.error(RESPErrorReply("ERR Protocol error: \(error.description)")))
                endsAfterAnswers = true
            }
        }
    }

    private func send() {
        while sent < writer.bytes.count {
            let count = writer.bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if errno != EAGAIN { isOver = true }
                return
            }
            sent += count
            lastProgress = .now
        }
        // A long answer's memory is not kept.
        writer.bytes.removeAll(keepingCapacity: writer.bytes.count <= Self.outputLimit)
        sent = 0
    }
}
