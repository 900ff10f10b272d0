/// Walks the STDIN records of one request, however the network cuts them (FastCGI 1.0, sections 3.3 and 5.3).
///
/// libfcgi trusts its peer here, too: a GET_VALUES record inside a body with a name given twice overruns a buffer on its
/// stack. So every record of a body is checked before libfcgi could see it.
///
/// It is a function of the bytes, fed in pieces: no I/O, so it is tested and fuzzed without a socket.
struct BodyRecords {
    let requestID: UInt16
    /// The bytes of a header that has arrived in part, and how many they are.
    private var header: UInt64 = 0
    private var headerCount = 0
    private var contentLeft = 0
    private var paddingLeft = 0
    private var hasEnded = false
    /// The end record has padding.
    private(set) var endIsPadded = false

    init(requestID: UInt16) {
        self.requestID = requestID
    }

    /// The end record was seen, its padding included: the next byte would belong to another request.
    var isComplete: Bool { hasEnded && paddingLeft == 0 }

    /// Takes the next bytes and hands on, in order, those of them that are the body's.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        content: (UnsafeRawBufferPointer) -> Void
    ) throws(HeadCheck.Refusal) {
        var offset = 0
        while offset < bytes.count {
            let left = bytes.count - offset
            if contentLeft > 0 {
                let count = min(left, contentLeft)
                content(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
                contentLeft -= count
                offset += count
            } else if paddingLeft > 0 {
                let count = min(left, paddingLeft)
                paddingLeft -= count
                offset += count
            } else {
                guard !hasEnded else { throw .pipelined }
                if headerCount == 0, bytes[offset] != 1 { throw .version }
                header = header << 8 | UInt64(bytes[offset])
                headerCount += 1
                offset += 1
                if headerCount == RecordHeader.size { try beginRecord() }
            }
        }
    }

    private mutating func beginRecord() throws(HeadCheck.Refusal) {
        let record = RecordHeader(word: header)
        headerCount = 0
        if record.type == RecordHeader.Kind.beginRequest { throw .pipelined }
        guard record.requestID == requestID else { throw .body }
        if record.type == RecordHeader.Kind.abortRequest { throw .aborted }
        guard record.type == RecordHeader.Kind.stdin else { throw .body }
        contentLeft = record.contentLength
        paddingLeft = record.paddingLength
        hasEnded = record.contentLength == 0
        endIsPadded = hasEnded && record.paddingLength > 0
    }
}
