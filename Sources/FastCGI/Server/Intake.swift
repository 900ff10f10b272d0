internal import GalletaPlatform

/// A request on its way in, from its first byte to the last of its body.
///
/// It waits with its connection in the epoll set: a head or a body that drips holds no worker, and the handler finds all
/// of the body. (nginx gathers bodies itself by default; Apache and Caddy pass them on as slowly as the client sends
/// them.)
///
/// Threading: used by the worker that holds the connection; between two of them it lies in the connection's slot.
final class Intake {
    /// The head.
    var context: RequestContext
    private(set) var check: RequestCheck
    /// The body.
    let spool: BodySpool
    /// When the rest of the head was first waited for; further parts do not move it.
    private(set) var headBegin = BootInstant(nanoseconds: 0)
    /// The end of the time for the head.
    var headDeadline: BootInstant { headBegin.advanced(by: configuration.headTimeout) }
    /// When the head was complete.
    private(set) var startedAt = BootInstant(nanoseconds: 0)
    /// The end of the time for body, handler and answer together.
    private(set) var deadline = BootInstant(nanoseconds: 0)
    private var received = 0
    /// Nothing is kept of a body that no handler will see; it is read so that the web server takes the answer.
    private var isDiscarding = false
    private let configuration: Server.Configuration

    /// Why no handler will see the body.
    private(set) var failure: RequestBodyError?

    /// What the bytes brought.
    enum Progress {
        /// More has to come.
        case waiting
        /// The request can be answered.
        case complete
        case refused(RequestCheck.Refusal)
        /// More of a body that nobody wants than is worth reading.
        case endless
    }

    init(_ configuration: Server.Configuration) {
        self.configuration = configuration
        check = RequestCheck(maxHeadBytes: configuration.maxHeadBytes)
        spool = BodySpool(directory: configuration.formLimits.temporaryDirectory)
        context = RequestContext(configuration)
    }

    /// Makes ready for another request.
    func reset() {
        check = RequestCheck(maxHeadBytes: configuration.maxHeadBytes)
        spool.removeAll()
        received = 0
        isDiscarding = false
        failure = nil
        headBegin = BootInstant(nanoseconds: 0)
        // A handler that kept its request keeps the context with it.
        if isKnownUniquelyReferenced(&context) {
            context.reset()
        } else {
            context = RequestContext(configuration)
        }
    }

    /// The request can be answered although no end of a body has come: an Authorizer gets none (section 6.3). Apache
    /// sends no record, others an empty one, with the head.
    var needsNoBody: Bool { check.isAuthorizer && check.hasHead && !check.hasBody }

    /// The next byte on the connection is another request's.
    var isInStep: Bool { check.isComplete || needsNoBody }

    /// Takes bytes up to the end of the request; returns how many those were.
    func take(_ bytes: UnsafeRawBufferPointer) -> (taken: Int, Progress) {
        var offset = 0
        do throws(RequestCheck.Refusal) {
            while true {
                switch try check.next(bytes, &offset) {
                case .moreBytes:
                    guard received - configuration.maxBodyBytes <= configuration.maxDrainBytes else {
                        return (offset, .endless)
                    }
                    return (offset, .waiting)
                case .parameters(let range): context.append(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .headEnd: try finishHead()
                case .body(let range): keep(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .end:
                    finishBody()
                    return (offset, .complete)
                }
            }
        } catch {
            return (offset, .refused(error))
        }
    }

    /// Its time was over before all of it had come.
    var isLate: Bool { failure?.isTimeout == true }

    /// Something of a head has come, and its rest is waited for.
    func waitForHead() {
        if headBegin.nanoseconds == 0 { headBegin = .now }
    }

    /// The time is over: what has arrived is answered with 408.
    func timeOut() {
        if failure == nil { failure = RequestBodyError(.timedOut(received: received)) }
    }

    /// The web server sends no more.
    func cutShort() {
        if failure == nil { failure = RequestBodyError(.truncated(received: received, declared: nil)) }
    }

    private func finishHead() throws(RequestCheck.Refusal) {
        startedAt = .now
        deadline = startedAt.advanced(by: configuration.handlerTimeout)
        context.role = check.isAuthorizer ? .authorizer : .responder
        try context.readParameters(atMost: configuration.maxParameters)
        context.contentLength = try? Request.contentLength(context)
        if !check.isAuthorizer, let declared = context.contentLength, declared > configuration.maxBodyBytes {
            discard(.tooLarge(limit: configuration.maxBodyBytes))
        }
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) {
        received += bytes.count
        guard !isDiscarding else { return }
        guard received <= configuration.maxBodyBytes else {
            return discard(.tooLarge(limit: configuration.maxBodyBytes))
        }
        do throws(FormError) {
            try spool.append(bytes)
        } catch {
            discard(.storage(error.description))
        }
    }

    private func finishBody() {
        guard failure == nil, !check.isAuthorizer, let declared = context.contentLength, declared != received else {
            return
        }
        failure = RequestBodyError(.truncated(received: received, declared: declared))
    }

    private func discard(_ reason: RequestBodyError.Code) {
        failure = RequestBodyError(reason)
        isDiscarding = true
        spool.removeAll()
    }
}
