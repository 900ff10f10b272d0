internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Synchronization

/// What a request's handle refers to: the request that libfcgi has read, and what the handler does with it.
///
/// An exchange owns one and reuses it for request after request. A handler that keeps its `Request` keeps this object, too:
/// the exchange notices and takes a fresh one, so a kept request never changes and nothing is copied in the usual case.
///
/// Threading: the parameters change only while the exchange is the sole owner. Body, error stream and cancellation are
/// behind a lock, and end with ``finish()``.
final class RequestContext: @unchecked Sendable {
    // Safe: `head` and `library` change only while the exchange is sole owner; the library's input is read under the lock.
    /// The parameters as they came, behind room for the headers of the records around them, until libfcgi has read them.
    private var head = RecordBuffer()
    private var library = LibraryRequest()
    let settings: RequestSettings
    private let counters: ServerCounters?
    var role = Request.Role.responder
    /// The declared length of the body; nil when absent or not a number.
    var contentLength: Int?
    /// Whether `times` are taken; does not change while the request is answered. Atomic, as who ends a request that was cut
    /// asks, too.
    var isTimed: Bool {
        get { timed.load(ordering: .relaxed) }
        set { timed.store(newValue, ordering: .relaxed) }
    }
    private let timed = Atomic<Bool>(false)
    let live = Locked(Live())

    /// What lasts as long as the request is being answered.
    struct Live: @unchecked Sendable {
        // Safe: libfcgi's stream is reached under the lock alone, and not after the end.
        var body = BodyState()
        /// What the body was read as.
        var form: Form?
        /// Messages for the web server's error log that have not been sent.
        var errors = ErrorText()
        /// The connection of a handler that runs on a worker: nobody else reads or closes it meanwhile.
        var connection: Int32 = -1
        var isCancelled = false
        /// Where its time goes, if the server wants to know.
        var times: RequestTimes?
        /// Ends what a handler waits for on its worker.
        var onCancel: (@Sendable () -> Void)?
    }

    /// The body, where the exchange that took it in has gone.
    private var ownSpool: BodySpool?

    /// BEGIN_REQUEST and the header of a PARAMS record.
    private static let gap = 3 * RecordHeader.size

    init(
        _ configuration: Server.Configuration, logger: Logger = Logger(label: "fastcgi"),
        counters: ServerCounters? = nil
    ) {
        self.counters = counters
        settings = RequestSettings(
            logger: logger,
            mount: configuration.mount, address: configuration.address, maxBodyBytes: configuration.maxBodyBytes,
            maxHeadBytes: configuration.maxHeadBytes, formLimits: configuration.formLimits)
        head.appendZeros(Self.gap)
    }

    /// Makes ready for another head.
    func reset() {
        // First: who has looked from another thread has said so by this lock.
        live.withLock { $0 = Live() }
        library.close()
        // One large head must not cost its memory for ever.
        head.removeAll(keepingAtMost: 128 << 10)
        head.appendZeros(Self.gap)
        contentLength = nil
        isTimed = false
    }

    // MARK: The head

    /// Adds bytes of the parameters.
    func append(_ more: UnsafeRawBufferPointer) {
        head.append(more)
    }

    /// The parameters that have come so far, as they came.
    var sentParameters: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: head.bytes[Self.gap...]) }

    /// Checks the parameters and has libfcgi read them.
    func readParameters(id: UInt16 = 1, atMost limit: Int) throws(RequestCheck.Refusal) {
        try ParameterCheck.check(sentParameters, atMost: limit)
        encloseParameters(id)
        guard library.read(head.bytes) else { throw .unreadable }
    }

    /// Makes records of the head: BEGIN_REQUEST, PARAMS and their end.
    private func encloseParameters(_ id: UInt16) {
        let count = head.count - Self.gap
        if count > 0, count <= RecordHeader.largestContent {
            // The usual case: written around the parameters where they are.
            head.setRecordHeader(at: 2 * RecordHeader.size, RecordHeader.Kind.params, id: id, count)
            head.appendZeros(RecordHeader.padding(count))
        } else {
            let parameters = Array(sentParameters)
            head.truncate(to: 2 * RecordHeader.size)
            parameters.withUnsafeBytes { head.appendRecords(RecordHeader.Kind.params, id: id, $0) }
        }
        head.appendRecordHeader(RecordHeader.Kind.params, id: id, 0)
        head.setRecordHeader(at: 0, RecordHeader.Kind.beginRequest, id: id, 8)
        head.setWord(at: RecordHeader.size, (role == .authorizer ? 2 : 1) << 48)
    }

    // MARK: Parameters

    var parameters: ParameterList { library.parameters }

    /// The value of the first parameter of this exact name.
    func value(of name: StaticString) -> UnsafeRawBufferPointer? {
        parameters.value(of: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    func string(of name: StaticString) -> String? {
        value(of: name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The path as it was sent, without its query, which may carry secrets; SCRIPT_NAME and PATH_INFO where the web server
    /// did not say.
    var sentPath: String {
        guard let uri = value(of: "REQUEST_URI") else {
            let path = (string(of: "SCRIPT_NAME") ?? "") + (string(of: "PATH_INFO") ?? "")
            return path.isEmpty ? "-" : path
        }
        return String(decoding: uri.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }, as: UTF8.self)
    }

    /// A thread that does not answer the request is done with looking at it, and holds it no longer after this: it may become
    /// another one then. That nobody holds it says so, too, but to no sanitizer.
    func endLook() { live.withLock { _ in } }

    // MARK: The answer

    /// The request is about to be answered.
    ///
    /// - Parameters:
    ///   - failure: Why its body cannot be read.
    ///   - connection: Its connection, while a handler runs on a worker.
    func begin(_ spool: BodySpool, id: UInt16, failure: RequestBodyError?, connection: Int32) {
        // An Authorizer has no body (section 6.3).
        let hasBody = role == .responder && spool.count > 0 && failure == nil
        var failure = failure
        if hasBody {
            do throws(FormError) {
                try library.addBody(spool, id: id)
            } catch {
                noteStorageFailure()
                failure = RequestBodyError(.storage(error.description))
            }
        }
        let body = BodyState(hasBody ? library.input : nil, failure: failure)
        live.withLock { live in
            live.body = body
            live.connection = connection
        }
    }

    /// A file that was to keep something of the body could not be made or written.
    func noteStorageFailure() {
        counters?.storageFailures.add(1, ordering: .relaxed)
    }

    /// As ``begin(_:id:failure:connection:)``, for a request that nobody is going to answer: it keeps its body itself.
    func begin(keeping spool: BodySpool, id: UInt16, failure: RequestBodyError?) {
        ownSpool = spool
        begin(spool, id: id, failure: failure, connection: -1)
    }

    /// The handler goes on without a worker: the connection may be another's now.
    func detach() {
        live.withLock { $0.connection = -1 }
    }

    /// Nobody waits for the answer any more.
    func cancel() {
        let onCancel = live.withLock { live in
            live.isCancelled = true
            return live.onCancel
        }
        onCancel?()
    }

    /// Has something done when the request is cancelled, beside what was to be done before, which is returned.
    @discardableResult
    func addOnCancel(_ action: @escaping @Sendable () -> Void) -> (@Sendable () -> Void)? {
        let (before, isCancelled) = live.withLock { live in
            let before = live.onCancel
            live.onCancel = {
                action()
                before?()
            }
            return (before, live.isCancelled)
        }
        if isCancelled { action() }
        return before
    }

    /// As ``addOnCancel(_:)``, as long as `body` runs.
    func onCancel<Value>(_ action: @escaping @Sendable () -> Void, _ body: () throws -> Value) rethrows -> Value {
        let before = addOnCancel(action)
        defer { live.withLock { $0.onCancel = before } }
        return try body()
    }

    /// Whether nobody waits for the answer any more.
    var isCancelled: Bool {
        live.withLock { live in
            if !live.isCancelled, live.connection >= 0 { live.isCancelled = cplatform_is_hung_up(live.connection) }
            return live.isCancelled
        }
    }

    /// Takes what is to be sent to the web server's error log.
    func takeErrors() -> [UInt8] {
        live.withLock { $0.errors.isEmpty ? [] : $0.errors.take() }
    }

    /// The request is answered: no stream may be used any more.
    func finish() {
        live.withLock { live in
            live.body = BodyState()
            live.form = nil
            live.connection = -1
            live.errors.close()
        }
    }
}

/// What the server's configuration says about every request.
struct RequestSettings: Sendable {
    var logger: Logger
    var mount: MountPoint
    var address: RequestAddress
    var maxBodyBytes: Int
    var maxHeadBytes: Int
    var formLimits: FormLimits
}
