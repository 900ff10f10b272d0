internal import CFastCGI
internal import GalletaPlatform
internal import Glibc

/// What a request's handle refers to: the head's bytes, and while it is being answered, libfcgi's streams.
///
/// A worker owns one and reuses it for request after request. A handler that keeps its `Request` keeps this object too:
/// the worker notices and takes a fresh one, so a kept request never changes and nothing is copied in the usual case.
///
/// Threading: the bytes and pairs are written by the worker only while it is the sole owner. The streams are reached
/// through `input` and `output`, which `finish` empties; after it a kept request reads no more body.
final class RequestContext: @unchecked Sendable {
    // Safe: `bytes` belongs to this object from init to deinit; its content changes only while the worker is sole owner.
    private(set) var bytes: UnsafeMutableRawBufferPointer
    var pairs = ParameterPairs()
    var settings: RequestSettings
    var role = Request.Role.responder
    /// The declared length of the body; nil when absent or not a number.
    var contentLength: Int?
    let input = Locked(BodyState())
    let output = Locked(OutputState())
    /// Runs async handlers on the worker's thread; nil outside a worker.
    var executor: WorkerExecutor?

    struct OutputState {
        // Safe: set by the worker while the request is being answered, nil otherwise.
        var errorStream: UnsafeMutablePointer<FCGX_Stream>?
    }

    init(settings: RequestSettings, capacity: Int) {
        self.settings = settings
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }

    /// Makes room for a larger head; what is there is lost.
    func grow(to capacity: Int) {
        guard capacity > bytes.count else { return }
        bytes.deallocate()
        bytes = .allocate(byteCount: capacity, alignment: 16)
    }

    /// The value of the first parameter of this exact name.
    func value(of name: StaticString) -> UnsafeRawBufferPointer? {
        name.withUTF8Buffer { value(of: UnsafeRawBufferPointer($0)) }
    }

    func value(of name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        for pair in pairs.pairs where pair.name.count == name.count {
            if memcmp(bytes.baseAddress! + pair.name.lowerBound, name.baseAddress!, name.count) == 0 {
                return UnsafeRawBufferPointer(rebasing: bytes[pair.value])
            }
        }
        return nil
    }

    /// Calls `body` with the value of every parameter of this exact name, in order.
    func forEachValue(of name: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        for pair in pairs.pairs where pair.name.count == name.count {
            if memcmp(bytes.baseAddress! + pair.name.lowerBound, name.baseAddress!, name.count) == 0 {
                body(UnsafeRawBufferPointer(rebasing: bytes[pair.value]))
            }
        }
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

    /// The request is answered: no stream may be used any more.
    func finish() {
        input.withLock {
            $0.source = .none
            $0.phase = .failed(RequestBodyError(.requestFinished))
        }
        output.withLock { $0.errorStream = nil }
    }
}

/// What the server's configuration says about every request.
struct RequestSettings: Sendable {
    var mount: MountPoint
    var address: RequestAddress
    var maxBodyBytes: Int
    var formLimits: FormLimits
}
