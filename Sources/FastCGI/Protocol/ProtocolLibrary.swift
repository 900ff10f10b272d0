internal import CFastCGI
internal import CFastCGIHost

/// libfcgi, as one worker uses it: it parses one request after another, on a port instead of a socket.
///
/// The port, and how libfcgi comes to read from it, is CFastCGIHost's affair: we are its operating system. So it closes
/// no connection, touches no signal, and none of its private fields is of interest.
///
/// Threading: one thread at a time; the streams of a request may be used on another one under the context's lock.
struct ProtocolLibrary: ~Copyable {
    private let port: Int32
    private let request: UnsafeMutablePointer<FCGX_Request>

    init() {
        port = cfastcgi_port_open()
        precondition(port >= 0, "more workers than libfcgi has ports for")
        request = .allocate(capacity: 1)
    }

    deinit {
        request.deallocate()
        cfastcgi_port_close(port)
    }

    /// Lets libfcgi read a request that was taken in; ``finish()`` is due afterwards if it could.
    ///
    /// - Parameter output: The connection that it writes to.
    mutating func read(_ intake: Intake, answeringTo output: Int32) -> Bool {
        let (check, spool) = (intake.check, intake.spool)
        return intake.context.withHeadRecords(id: check.requestID, keepsConnection: check.keepsConnection) { head in
            read(head, answeringTo: output) { port in
                // An Authorizer gets none (section 6.3).
                guard !check.isAuthorizer else { return }
                let body = spool.bytes
                cfastcgi_port_body(port, check.requestID, body.baseAddress, spool.count, spool.disk?.fd ?? -1)
            }
        }
    }

    /// Lets libfcgi read a head, all of which it has read when this returns, and what `addBody` gives the port.
    mutating func read(
        _ head: UnsafeRawBufferPointer, answeringTo output: Int32, addBody: (Int32) -> Void = { _ in }
    ) -> Bool {
        cfastcgi_port_load(port, head.baseAddress, head.count, output)
        addBody(port)
        FCGX_InitRequest(request, port, 0)
        let isRead = FCGX_Accept_r(request) >= 0
        if !isRead { cfastcgi_port_clear(port) }
        return isRead
    }

    // Safe: these live from a successful read to `finish`.
    /// "NAME=VALUE", the role first, nil last.
    var parameters: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> { request.pointee.envp }
    var input: UnsafeMutablePointer<FCGX_Stream> { request.pointee.in }
    var output: UnsafeMutablePointer<FCGX_Stream> { request.pointee.out }
    var errors: UnsafeMutablePointer<FCGX_Stream> { request.pointee.err }

    /// Sends what the error stream holds back and lets go of the request. False if that could not be sent.
    mutating func finish() -> Bool {
        let isSent = FCGX_FClose(request.pointee.err) == 0
        FCGX_Free(request, 0)
        cfastcgi_port_clear(port)
        return isSent
    }

    // MARK: The linking

    /// Whether libfcgi calls our functions: found out once a process, by a request in memory.
    private static let isHosted: Bool = {
        FCGX_Init()
        // BEGIN_REQUEST of a Responder, the parameter A=B, the end of PARAMS.
        let records: [UInt8] = [
            1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 4, 0, 0, 1, 1, 0x41, 0x42, 1, 4, 0, 1, 0, 0,
            0, 0,
            1, 5, 0, 1, 0, 0, 0, 0,
        ]
        var library = ProtocolLibrary()
        guard records.withUnsafeBytes({ library.read($0, answeringTo: -1) }) else { return false }
        let value = FCGX_GetParam("A", library.request.pointee.envp).map { String(cString: $0) }
        _ = library.finish()
        return value == "B"
    }()

    /// Initialises libfcgi, once a process.
    ///
    /// - Throws: ``ConfigurationError`` when the program was linked so that libfcgi uses functions of its own in place of
    ///   Galleta's.
    static func start() throws(ConfigurationError) {
        guard isHosted else {
            throw ConfigurationError(
                field: "libfcgi",
                reason:
                    "it was linked with its own system functions (OS_Accept, OS_Read, OS_Write) in place of Galleta's",
                remedy:
                    "link Galleta into the program itself, before libfcgi (-lfcgi), and not as a shared library after it"
            )
        }
    }
}

extension FCGX_Stream {
    /// Writes all of `bytes`. `FCGX_PutStr` counts in `Int32`: larger writes go in pieces.
    ///
    /// False when the stream has failed; libfcgi then drops what is written.
    @discardableResult
    static func put(_ stream: UnsafeMutablePointer<FCGX_Stream>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = min(bytes.count - offset, 1 << 30)
            let start = (bytes.baseAddress! + offset).assumingMemoryBound(to: CChar.self)
            guard FCGX_PutStr(start, Int32(count), stream) == count else { return false }
            offset += count
        }
        return true
    }
}
