/// Walks the records of one request from its first byte to its last, and lets pass only what a web server sends.
///
/// libfcgi trusts its peer: lengths that wrap abort the process, records of foreign ids are dropped or taken for
/// parameters, a GET_VALUES with a name given twice overruns a buffer on its stack. So it never sees a byte that was not
/// checked here (FastCGI 1.0, sections 3.3, 5.1, 5.2 and 5.3), in records that are written anew.
///
/// It is a function of the bytes, fed in pieces: where the network cuts them changes nothing, each is looked at once, and
/// there is no I/O, so it is tested and fuzzed without a socket.
struct RequestCheck {
    /// Most bytes that BEGIN_REQUEST and all PARAMS records may take, their headers and padding included.
    let maxHeadBytes: Int

    /// Why a request was refused. The raw value is what the log says.
    enum Refusal: String, Error, CaseIterable {
        case version = "the protocol version is not 1 (is this an HTTP client?)"
        case begin = "the first record is not a BEGIN_REQUEST of 8 bytes with a request id"
        case role = "the role is neither Responder nor Authorizer"
        case foreignID = "a record carries another request id: multiplexing is not supported"
        case recordType = "a record of an unexpected type stands inside the head"
        case tooLarge = "the parameters are larger than the limit (maxHeadBytes)"
        case tooMany = "there are more parameters than the limit"
        case pairLength = "a parameter's length exceeds the bytes that are there"
        case pairName = "a parameter's name holds NUL or '='"
        case pairValue = "a parameter's value holds NUL"
        case pipelined = "a second request begins inside the body of the first"
        case body = "a record of an unexpected type or id stands inside the body"
        case padding = "the body is hardly more than headers and padding"
        case aborted = "the web server aborted the request"
        case management = "a management record is too large, or there are too many"
        case unreadable = "libfcgi could not read the request"
    }

    /// What comes next in the bytes.
    enum Step {
        /// They are used up.
        case moreBytes
        /// Bytes of the parameters.
        case parameters(Range<Int>)
        /// All parameters were there.
        case headEnd
        /// Bytes of the body.
        case body(Range<Int>)
        /// A question about the server, between requests.
        case management(ManagementRecord)
        /// The request is complete: what follows belongs to the next one.
        case end
    }

    private enum Phase {
        case begin
        /// Inside a management record.
        case management
        case parameters
        case body
        case end
    }

    private var phase = Phase.begin
    private(set) var requestID: UInt16 = 0
    private(set) var isAuthorizer = false
    /// The web server wants to use the connection again.
    private(set) var keepsConnection = false
    /// Something of a body has arrived, be it its end.
    private(set) var hasBody = false

    private var management = ManagementRecord(type: 0)
    private var managementCount = 0

    // The record that is being read: the bytes of its header that have arrived, then what is left of it.
    private var header: UInt64 = 0
    private var headerCount = 0
    private var contentLeft = 0
    private var paddingLeft = 0
    /// The record ends its stream.
    private var isLast = false
    /// The first bytes of BEGIN_REQUEST's content: role, flags.
    private var begin: UInt32 = 0
    private var headBytes = 0
    private var bodyBytes = 0
    /// Headers and padding of the body's records.
    private var overhead = 0

    init(maxHeadBytes: Int) {
        self.maxHeadBytes = maxHeadBytes
    }

    /// Nothing has arrived, no management record either: those are counted.
    var isEmpty: Bool { phase == .begin && headerCount == 0 && requestID == 0 && managementCount == 0 }

    /// The parameters are complete.
    var hasHead: Bool { phase == .body || phase == .end }

    /// The request is complete.
    var isComplete: Bool { phase == .end }

    /// Bytes that may be headers and padding however small the body is.
    private static let freeOverhead = 64 << 10
    /// Web servers ask for three values, once in a while.
    private static let largestManagement = 512
    private static let mostManagement = 8

    /// Takes the next step through `bytes`, from `offset` on, which it moves.
    mutating func next(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) throws(Refusal) -> Step {
        while phase != .end {
            if contentLeft > 0 {
                let count = min(contentLeft, bytes.count - offset)
                guard count > 0 else { return .moreBytes }
                let content = offset..<offset + count
                contentLeft -= count
                offset = content.upperBound
                switch phase {
                case .parameters: return .parameters(content)
                case .body:
                    bodyBytes += count
                    return .body(content)
                case .management: management.content.append(contentsOf: bytes[content])
                case .begin, .end: try takeBegin(bytes[content])
                }
            } else if paddingLeft > 0 {
                let count = min(paddingLeft, bytes.count - offset)
                guard count > 0 else { return .moreBytes }
                paddingLeft -= count
                offset += count
            } else if isLast {
                isLast = false
                if phase == .parameters {
                    phase = .body
                    return .headEnd
                }
                phase = .end
            } else if phase == .management {
                phase = .begin
                return .management(management)
            } else {
                guard try takeHeader(bytes, &offset) else { return .moreBytes }
            }
        }
        return .end
    }

    /// Reads the header of the next record; false when not all of it is there. The version is refused at its first byte.
    private mutating func takeHeader(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) throws(Refusal) -> Bool {
        if headerCount == 0, bytes.count - offset >= RecordHeader.size {
            guard bytes[offset] == 1 else { throw .version }
            header = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += RecordHeader.size
        } else {
            while headerCount < RecordHeader.size {
                guard offset < bytes.count else { return false }
                if headerCount == 0, bytes[offset] != 1 { throw .version }
                header = header << 8 | UInt64(bytes[offset])
                headerCount += 1
                offset += 1
            }
            headerCount = 0
        }
        try open(RecordHeader(word: header))
        return true
    }

    private mutating func open(_ record: RecordHeader) throws(Refusal) {
        switch phase {
        case .begin where record.requestID == 0 && record.type != RecordHeader.Kind.beginRequest && requestID == 0:
            managementCount += 1
            guard record.payloadLength <= Self.largestManagement, managementCount <= Self.mostManagement else {
                throw .management
            }
            management = ManagementRecord(type: record.type)
            phase = .management
        case .begin, .management:
            guard record.type == RecordHeader.Kind.beginRequest, record.requestID != 0, record.contentLength == 8 else {
                throw .begin
            }
            requestID = record.requestID
            try countHead(record)
        case .parameters:
            guard record.requestID == requestID else { throw .foreignID }
            if record.type == RecordHeader.Kind.abortRequest { throw .aborted }
            guard record.type == RecordHeader.Kind.params else { throw .recordType }
            isLast = record.contentLength == 0
            try countHead(record)
        case .body, .end:
            if record.type == RecordHeader.Kind.beginRequest { throw .pipelined }
            guard record.requestID == requestID else { throw .body }
            if record.type == RecordHeader.Kind.abortRequest { throw .aborted }
            guard record.type == RecordHeader.Kind.stdin else { throw .body }
            isLast = record.contentLength == 0
            hasBody = true
            overhead += RecordHeader.size + record.paddingLength
            // A byte a record, padded to eight, is 15: no web server sends more, but a flood of padding would never end.
            guard overhead <= Self.freeOverhead + 16 * bodyBytes else { throw .padding }
        }
        contentLeft = record.contentLength
        paddingLeft = record.paddingLength
    }

    private mutating func countHead(_ record: RecordHeader) throws(Refusal) {
        headBytes += RecordHeader.size + record.payloadLength
        guard headBytes <= maxHeadBytes else { throw .tooLarge }
    }

    /// The content of BEGIN_REQUEST (section 5.1): two bytes of role, one of flags, five that mean nothing.
    private mutating func takeBegin(_ content: Slice<UnsafeRawBufferPointer>) throws(Refusal) {
        var position = 8 - contentLeft - content.count
        for byte in content {
            if position < 3 { begin = begin << 8 | UInt32(byte) }
            position += 1
        }
        guard contentLeft == 0 else { return }
        let role = begin >> 8
        guard role == 1 || role == 2 else { throw .role }
        isAuthorizer = role == 2
        keepsConnection = begin & 1 != 0
        phase = .parameters
    }
}
