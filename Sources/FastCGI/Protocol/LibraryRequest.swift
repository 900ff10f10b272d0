internal import CFastCGI
internal import CFastCGIHost

/// One request as libfcgi reads it: from memory, out of records that were checked before.
///
/// libfcgi's system functions are ours (CFastCGIHost), so it closes no connection and touches no signal; none of its private
/// fields is of interest. Its output streams are not used: answers have a writer of ours.
///
/// Threading: one thread at a time.
struct LibraryRequest: ~Copyable {
    private var port: Int32 = -1
    // Safe: ours from init to deinit; what it points to is libfcgi's from a successful read to `close`.
    private let request: UnsafeMutablePointer<FCGX_Request>
    private var isRead = false

    init() {
        request = .allocate(capacity: 1)
    }

    deinit {
        if isRead { FCGX_Free(request, 0) }
        if port >= 0 { cfastcgi_port_close(port) }
        request.deallocate()
    }

    /// Lets libfcgi read a head, all of which it has read when this returns. False if it could not.
    mutating func read(_ head: UnsafeRawBufferPointer) -> Bool {
        close()
        if port < 0 { port = cfastcgi_port_open() }
        guard port >= 0 else { return false }
        cfastcgi_port_load(port, head.baseAddress, head.count)
        FCGX_InitRequest(request, port, 0)
        isRead = FCGX_Accept_r(request) >= 0
        if !isRead { cfastcgi_port_clear(port) }
        return isRead
    }

    /// Gives it the body, which it reads as it is asked for; the spool must stay as it is until `close`.
    ///
    /// - Throws: ``FormError`` when the rest of a large body cannot be stored.
    mutating func addBody(_ spool: BodySpool, id: UInt16) throws(FormError) {
        let buffer = try spool.finish()
        if let disk = spool.disk {
            cfastcgi_port_file(port, id, disk.fd, spool.count, buffer.baseAddress, buffer.count)
        } else {
            cfastcgi_port_body(port, id, spool.bytes.baseAddress, spool.count)
        }
    }

    /// The parameters; none before a read.
    var parameters: ParameterList { ParameterList(isRead ? request.pointee.envp : nil) }

    /// The body.
    var input: BodyInput? { isRead ? BodyInput(stream: request.pointee.in) : nil }

    /// Lets go of the request.
    mutating func close() {
        guard isRead else { return }
        isRead = false
        FCGX_Free(request, 0)
        cfastcgi_port_clear(port)
    }

    // MARK: The linking

    /// Whether libfcgi calls our functions: found out once a process, by a request in memory.
    private static let isHosted: Bool = {
        FCGX_Init()
        // BEGIN_REQUEST of a Responder, the parameter A=B, the end of PARAMS.
        let records: [UInt8] = [
            1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 1, 0, 4, 0, 0, 1, 1, 0x41, 0x42, 1, 4, 0, 1, 0, 0,
            0, 0,
        ]
        var request = LibraryRequest()
        guard records.withUnsafeBytes({ request.read($0) }) else { return false }
        return FCGX_GetParam("A", request.request.pointee.envp).map { String(cString: $0) } == "B"
    }()

    /// Initialises libfcgi, once a process.
    ///
    /// - Throws: `ConfigurationError` when the program was linked so that libfcgi uses functions of its own in place of
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

/// The body of a request as libfcgi hands it out.
struct BodyInput {
    // Safe: libfcgi's, until its request is closed.
    fileprivate let stream: UnsafeMutablePointer<FCGX_Stream>

    /// Reads up to `buffer.count` bytes, fewer only at the end of the body or after an error.
    ///
    /// - Returns: How many, and the errno of what could not be read.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> (count: Int, error: Int32) {
        let wanted = Int32(clamping: buffer.count)
        let count = FCGX_GetStr(buffer.baseAddress!.assumingMemoryBound(to: CChar.self), wanted, stream)
        return (Int(count), count < wanted ? FCGX_GetError(stream) : 0)
    }
}
