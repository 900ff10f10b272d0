internal import Glibc

/// Decides, before libfcgi reads a byte, whether the bytes waiting on a connection hold one whole and sane request head.
///
/// libfcgi trusts its peer: lengths that wrap abort the process, records of foreign ids are dropped or taken for
/// parameters, pipelined bytes are lost. The check walks the records (FastCGI 1.0, sections 3.3, 5.1, 5.2) and the
/// name-value pairs (section 3.4) and lets pass only what a web server sends.
///
/// It is a function of the bytes: no I/O, no state between calls, so it is tested and fuzzed without a socket.
struct HeadCheck {
    /// Most bytes that BEGIN_REQUEST and all PARAMS records may take, their headers included.
    var maxBytes: Int
    /// Most name-value pairs.
    var maxParameters: Int

    /// Why a head was refused. The raw value is what the log says.
    enum Refusal: String, Error, CaseIterable {
        case version = "the protocol version is not 1 (is this an HTTP client?)"
        case begin = "the first record is not a BEGIN_REQUEST of 8 bytes with a request id"
        case role = "the role is neither Responder nor Authorizer"
        case foreignID = "a record carries another request id: multiplexing is not supported"
        case recordType = "a record of an unexpected type stands inside the head"
        case tooLarge = "the parameters are larger than the limit"
        case tooMany = "there are more parameters than the limit"
        case pairLength = "a parameter's length exceeds the bytes that are there"
        case pairName = "a parameter's name holds NUL or '='"
        case pairValue = "a parameter's value holds NUL"
        case pipelined = "a second request follows before the first was answered"
        case body = "a record of an unexpected type or id stands inside the body"
        case aborted = "the web server aborted the request"
    }

    enum Verdict {
        /// More bytes are needed.
        case incomplete
        case refused(Refusal)
        case complete(Head)
    }

    /// Where things stand in a complete head.
    struct Head {
        var requestID: UInt16
        var isAuthorizer: Bool
        var keepsConnection: Bool
        /// Range of the parameter bytes; contiguous after `check`.
        var parameters: Range<Int>
        /// Where STDIN begins: bytes from the request's first one.
        var end: Int
        /// How much of STDIN was seen.
        var body: Body
        /// libfcgi can read all of the request from the connection: it is whole, and no padding stands where libfcgi
        /// would take it for records.
        var suitsLibrary: Bool

        /// An Authorizer gets no body (section 6.3): Apache sends no record, others an empty one.
        var hasNoBody: Bool { isAuthorizer && body == .absent }
    }

    /// How much of STDIN has arrived with a head.
    enum Body {
        case absent
        case partial
        /// Up to the end record.
        case complete
    }

    /// Checks `bytes`, which start at a record boundary.
    ///
    /// When PARAMS spans several records their contents are moved together inside `bytes`, and `pairs` is filled with
    /// the position of every name and value. Both mean something only if the verdict is `complete`.
    func check(_ bytes: UnsafeMutableRawBufferPointer, pairs: inout ParameterPairs) -> Verdict {
        do {
            return try checked(bytes, pairs: &pairs)
        } catch {
            return .refused(error)
        }
    }

    private func checked(
        _ bytes: UnsafeMutableRawBufferPointer,
        pairs: inout ParameterPairs
    ) throws(Refusal) -> Verdict {
        // Those of a request before must not be taken for this one's, should it be refused.
        pairs.removeAll()
        let raw = UnsafeRawBufferPointer(bytes)
        guard let begin = try header(raw, at: 0) else { return .incomplete }
        guard begin.type == RecordHeader.Kind.beginRequest, begin.requestID != 0, begin.contentLength == 8 else {
            throw .begin
        }
        guard raw.count >= RecordHeader.size + 8 else { return .incomplete }
        let role = UInt16(raw[8]) << 8 | UInt16(raw[9])
        guard role == 1 || role == 2 else { throw .role }
        let keepsConnection = raw[10] & 1 != 0

        var offset = RecordHeader.size + begin.payloadLength
        var parameters = 0..<0
        // libfcgi forgets the padding of a stream's end record and parses it: it may hold a GET_VALUES that smashes its
        // stack. No web server pads there, nor behind BEGIN_REQUEST.
        var isPadded = begin.paddingLength > 0
        while true {
            guard let record = try header(raw, at: offset) else {
                if offset > maxBytes { throw .tooLarge }
                return .incomplete
            }
            guard record.requestID == begin.requestID else { throw .foreignID }
            if record.type == RecordHeader.Kind.abortRequest { throw .aborted }
            guard record.type == RecordHeader.Kind.params else { throw .recordType }
            let content = offset + RecordHeader.size
            let end = content + record.payloadLength
            guard end <= maxBytes else { throw .tooLarge }
            if record.contentLength == 0 {
                guard end <= raw.count else { return .incomplete }
                isPadded = isPadded || record.paddingLength > 0
                offset = end
                break
            }
            guard end <= raw.count else { return .incomplete }
            if parameters.isEmpty {
                parameters = content..<content + record.contentLength
            } else {
                // Pairs may straddle records: the contents are laid side by side over the headers between them.
                let base = bytes.baseAddress!
                memmove(base + parameters.upperBound, base + content, record.contentLength)
                parameters = parameters.lowerBound..<parameters.upperBound + record.contentLength
            }
            offset = end
        }

        try index(raw, parameters, into: &pairs)
        // What has arrived behind the head: STDIN of the same request and nothing after its end.
        var records = BodyRecords(requestID: begin.requestID)
        try records.take(UnsafeRawBufferPointer(rebasing: raw[offset...])) { _ in }
        var head = Head(
            requestID: begin.requestID,
            isAuthorizer: role == 2,
            keepsConnection: keepsConnection,
            parameters: parameters,
            end: offset,
            body: offset == raw.count ? .absent : records.isComplete ? .complete : .partial,
            suitsLibrary: false
        )
        head.suitsLibrary = (head.body == .complete || head.hasNoBody) && !isPadded && !records.endIsPadded
        return .complete(head)
    }

    /// The record header at `offset`, or nil if not all of it is there yet. The version is refused at its first byte.
    private func header(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Refusal) -> RecordHeader? {
        guard offset < bytes.count else { return nil }
        guard bytes[offset] == 1 else { throw .version }
        guard offset + RecordHeader.size <= bytes.count else { return nil }
        return RecordHeader(bytes, at: offset)
    }

    /// Walks the name-value pairs of section 3.4.
    private func index(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        into pairs: inout ParameterPairs
    ) throws(Refusal) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let nameLength = try length(bytes, &offset, range.upperBound)
            let valueLength = try length(bytes, &offset, range.upperBound)
            let remaining = range.upperBound - offset
            guard nameLength <= remaining, valueLength <= remaining - nameLength else { throw .pairLength }
            let name = offset..<offset + nameLength
            let value = name.upperBound..<name.upperBound + valueLength
            offset = value.upperBound
            guard pairs.count < maxParameters else { throw .tooMany }
            // libfcgi hands pairs on as C strings "name=value": what would be cut or shifted there is refused here.
            let base = bytes.baseAddress!
            if nameLength > 0,
                memchr(base + name.lowerBound, 0, nameLength) != nil
                    || memchr(base + name.lowerBound, 0x3d, nameLength) != nil
            {
                throw .pairName
            }
            if valueLength > 0, memchr(base + value.lowerBound, 0, valueLength) != nil { throw .pairValue }
            pairs.append(name: name, value: value)
        }
    }

    /// One length: a byte below 128, or four bytes with the high bit set.
    private func length(
        _ bytes: UnsafeRawBufferPointer,
        _ offset: inout Int,
        _ end: Int
    ) throws(Refusal) -> Int {
        guard offset < end else { throw .pairLength }
        let first = bytes[offset]
        if first < 128 {
            offset += 1
            return Int(first)
        }
        guard end - offset >= 4 else { throw .pairLength }
        defer { offset += 4 }
        return Int(first & 0x7f) << 24 | Int(bytes[offset + 1]) << 16 | Int(bytes[offset + 2]) << 8
            | Int(bytes[offset + 3])
    }
}

extension HeadCheck.Head {
    /// The head as records again, with padding only where libfcgi passes over it, behind content: what it is given of a
    /// head whose own records it could not bear.
    ///
    /// - Parameter bytes: The bytes that were checked.
    func records(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let parameters = bytes[self.parameters]
        var records: [UInt8] = []
        records.appendRecordHeader(RecordHeader.Kind.beginRequest, id: requestID, 8)
        records += [0, isAuthorizer ? 2 : 1, keepsConnection ? 1 : 0, 0, 0, 0, 0, 0]
        var offset = parameters.startIndex
        while offset < parameters.endIndex {
            let part = parameters[offset..<min(offset + RecordHeader.largestContent, parameters.endIndex)]
            records.appendRecordHeader(RecordHeader.Kind.params, id: requestID, part.count)
            records += part
            records.appendPadding(of: part.count)
            offset = part.endIndex
        }
        records.appendRecordHeader(RecordHeader.Kind.params, id: requestID, 0)
        return records
    }
}
