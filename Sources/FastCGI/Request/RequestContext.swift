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
    /// Where the parameters are: behind room for the headers of the records around them.
    private(set) var parameters = RequestContext.gap..<RequestContext.gap
    private(set) var pairs = ParameterPairs()
    let settings: RequestSettings
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

    /// BEGIN_REQUEST and the header of a PARAMS record.
    private static let gap = 3 * RecordHeader.size
    /// Padding, and the record that ends PARAMS.
    private static let trailer = 2 * RecordHeader.size

    init(_ configuration: Server.Configuration) {
        settings = RequestSettings(
            mount: configuration.mount, address: configuration.address, maxBodyBytes: configuration.maxBodyBytes,
            formLimits: configuration.formLimits)
        // Heads behind nginx take about 1 KiB.
        bytes = .allocate(byteCount: 4 << 10, alignment: 16)
    }

    deinit {
        bytes.deallocate()
    }

    /// Makes ready for another head. One large head must not cost its memory for ever.
    func reset() {
        parameters = Self.gap..<Self.gap
        // Those of a request before must not be taken for this one's, should it be refused.
        pairs.removeAll()
        contentLength = nil
        if bytes.count > 128 << 10 {
            bytes.deallocate()
            bytes = .allocate(byteCount: 4 << 10, alignment: 16)
        }
    }

    /// Adds bytes of the parameters.
    func append(_ more: UnsafeRawBufferPointer) {
        let end = parameters.upperBound + more.count
        if end + Self.trailer > bytes.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(2 * bytes.count, end + Self.trailer), alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<parameters.upperBound]))
            bytes.deallocate()
            bytes = larger
        }
        UnsafeMutableRawBufferPointer(rebasing: bytes[parameters.upperBound...]).copyMemory(from: more)
        parameters = parameters.lowerBound..<end
    }

    /// Finds the names and values in the parameters.
    func readParameters(atMost limit: Int) throws(RequestCheck.Refusal) {
        try pairs.read(UnsafeRawBufferPointer(bytes), parameters, atMost: limit)
    }

    /// Calls `body` with the head as records: BEGIN_REQUEST, PARAMS and their end, padded only behind content.
    func withHeadRecords<Result>(
        id: UInt16, keepsConnection: Bool, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let count = parameters.count
        guard count > 0, count <= RecordHeader.largestContent else {
            let records = recordsOfUnusualHead(id, keepsConnection)
            return records.withUnsafeBytes(body)
        }
        // The usual case: written around the parameters where they are.
        let base = bytes.baseAddress!
        writeBegin(base, id, keepsConnection)
        RecordHeader.write(RecordHeader.Kind.params, id: id, count, to: base + 2 * RecordHeader.size)
        let end = parameters.upperBound + RecordHeader.padding(count)
        memset(base + parameters.upperBound, 0, RecordHeader.padding(count))
        RecordHeader.write(RecordHeader.Kind.params, id: id, 0, to: base + end)
        return body(UnsafeRawBufferPointer(start: base, count: end + RecordHeader.size))
    }

    /// No parameters at all, or more than a record holds.
    private func recordsOfUnusualHead(_ id: UInt16, _ keepsConnection: Bool) -> [UInt8] {
        var records = [UInt8](repeating: 0, count: 2 * RecordHeader.size)
        records.withUnsafeMutableBytes { writeBegin($0.baseAddress!, id, keepsConnection) }
        for start in stride(from: parameters.lowerBound, to: parameters.upperBound, by: RecordHeader.largestContent) {
            let part = bytes[start..<min(start + RecordHeader.largestContent, parameters.upperBound)]
            records.appendRecordHeader(RecordHeader.Kind.params, id: id, part.count)
            records += part
            records.appendPadding(of: part.count)
        }
        records.appendRecordHeader(RecordHeader.Kind.params, id: id, 0)
        return records
    }

    private func writeBegin(_ base: UnsafeMutableRawPointer, _ id: UInt16, _ keepsConnection: Bool) {
        RecordHeader.write(RecordHeader.Kind.beginRequest, id: id, 8, to: base)
        let role: UInt64 = self.role == .authorizer ? 2 : 1
        let flags: UInt64 = keepsConnection ? 1 : 0
        (base + RecordHeader.size).storeBytes(of: (role << 48 | flags << 40).bigEndian, as: UInt64.self)
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
        input.withLock { $0 = BodyState() }
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
