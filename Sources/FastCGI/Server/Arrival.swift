internal import GalletaPlatform
internal import Glibc

/// A request whose head is complete while its body still arrives.
///
/// It waits with its connection in the epoll set: a body that drips holds no worker, and the handler finds all of it.
/// (nginx gathers bodies itself by default; Apache and Caddy pass them on as slowly as the client sends them.)
///
/// Threading: used by the worker that holds the connection; between two of them it lies in the connection's slot.
final class Arrival {
    let context: RequestContext
    let head: HeadCheck.Head
    let startedAt: BootInstant
    /// The end of the time for body, handler and answer together.
    let deadline: BootInstant
    private var records: BodyRecords
    private var spool: BodySpool
    private var received = 0
    /// Nothing is kept of a body that no handler will see; it is read so that the web server takes the answer.
    private var isDiscarding = false
    private let drainLimit: Int

    /// Why no handler will see the body.
    private(set) var failure: RequestBodyError?

    /// What one look at the connection brought.
    enum Progress {
        /// More has to come.
        case waiting
        /// The request can be answered, be it by saying what is wrong with it.
        case ready
        /// The connection can only be closed.
        case broken
        case refused(HeadCheck.Refusal)
    }

    /// - Parameters:
    ///   - context: Holds the head; the caller gives it up.
    ///   - head: What the check found.
    ///   - configuration: The server's.
    init(_ context: RequestContext, _ head: HeadCheck.Head, _ configuration: Server.Configuration) {
        self.context = context
        self.head = head
        startedAt = .now
        deadline = startedAt.advanced(by: configuration.handlerTimeout)
        records = BodyRecords(requestID: head.requestID)
        spool = BodySpool(directory: configuration.formLimits.temporaryDirectory)
        drainLimit = configuration.maxDrainBytes
        if let declared = try? Request.contentLength(context), declared > context.settings.maxBodyBytes {
            discard(.tooLarge(limit: context.settings.maxBodyBytes))
        }
    }

    /// The end record has arrived: the connection is at the next request's first byte.
    var isComplete: Bool { records.isComplete }

    /// The body for the handler; asked for once.
    func takeBody() -> BodyState {
        var state = BodyState()
        state.limit = context.settings.maxBodyBytes
        if let failure { state.phase = .failed(failure) }
        // A connection that is not in step has nothing to drain, either.
        if isComplete { state.source = .spool(spool) }
        spool.removeAll()
        return state
    }

    /// The time is over: what has arrived is answered with 408.
    func timeOut() {
        if failure == nil { failure = RequestBodyError(.timedOut(received: received)) }
    }

    /// Takes what waits on the connection.
    func receive(from fd: Int32, buffer: UnsafeMutableRawBufferPointer) -> Progress {
        while true {
            let count = recv(fd, buffer.baseAddress!, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .waiting : .broken
            }
            guard count > 0 else {
                if failure == nil { failure = RequestBodyError(.truncated(received: received, declared: nil)) }
                return .ready
            }
            do throws(HeadCheck.Refusal) {
                try records.take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { keep($0) }
            } catch {
                return .refused(error)
            }
            if records.isComplete { return .ready }
            if isDiscarding, received - context.settings.maxBodyBytes > drainLimit { return .broken }
        }
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) {
        received += bytes.count
        guard !isDiscarding else { return }
        guard received <= context.settings.maxBodyBytes else {
            return discard(.tooLarge(limit: context.settings.maxBodyBytes))
        }
        do throws(FormError) {
            try spool.append(bytes)
        } catch {
            discard(.storage(error.description))
        }
    }

    private func discard(_ reason: RequestBodyError.Code) {
        failure = RequestBodyError(reason)
        isDiscarding = true
        spool.removeAll()
    }
}
