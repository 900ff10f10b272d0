internal import HTTPTypes

extension Response {
    /// HTTP forbids content here (RFC 9110, sections 9.3.2, 15.3.5, 15.3.6, 15.4.5).
    private func forbidsBody(_ method: HTTPRequest.Method) -> Bool {
        method == .head || isWithoutContent
    }

    private var isWithoutContent: Bool {
        switch status.code {
        case 204, 205, 304: true
        default: false
        }
    }

    /// The answer to be sent, for all responses but streams.
    ///
    /// - Parameters:
    ///   - scratch: Reused from request to request; taken over by the answer, unless this throws.
    ///   - onLargeHead: Called with the size of a header block over nginx's default buffer.
    func outgoing(
        requestID: UInt16,
        method: HTTPRequest.Method,
        keepsConnection: Bool,
        scratch: inout [UInt8],
        onLargeHead: (Int) -> Void
    ) throws(ResponseError) -> OutgoingAnswer {
        let silent = forbidsBody(method)
        var rest = OutgoingAnswer.Body.none
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: repeatElement(0, count: OutgoingAnswer.gap))
        switch body {
        case .empty, .stream:
            try head(statedLength(0), &scratch, onLargeHead)
        case .bytes(let bytes):
            try head(statedLength(bytes.count), &scratch, onLargeHead)
            if !silent {
                if bytes.count < ResponseOutput.directThreshold {
                    scratch.append(contentsOf: bytes)
                } else {
                    rest = .bytes(bytes)
                }
            }
        case .string(let text):
            let count = text.utf8.count
            try head(statedLength(count), &scratch, onLargeHead)
            if !silent {
                if count < ResponseOutput.directThreshold {
                    scratch.append(contentsOf: text.utf8)
                } else {
                    rest = .bytes(Array(text.utf8))
                }
            }
        case .file(let path):
            let file = try ResponseFile(path: path)
            try head(statedLength(file.length), &scratch, onLargeHead)
            if !silent { rest = .file(file) }
        }
        let block = scratch
        scratch = []
        return OutgoingAnswer(
            status: status.code, requestID: requestID, head: block, body: rest, keepsConnection: keepsConnection)
    }

    /// Writes a whole response whose body is a stream; the closure waits where the web server does not read.
    ///
    /// - Throws: ``WriteFailure``, which says whether something was sent already.
    func writeStream(
        _ length: Int?,
        _ write: (ResponseWriter) throws -> Void,
        to output: ResponseOutput,
        method: HTTPRequest.Method,
        scratch: inout [UInt8],
        onLargeHead: (Int) -> Void
    ) throws(WriteFailure) {
        let silent = forbidsBody(method)
        scratch.removeAll(keepingCapacity: true)
        do throws(ResponseError) {
            try head(isWithoutContent ? statedLength(0) : length, &scratch, onLargeHead)
        } catch {
            throw WriteFailure(error: error, headWasSent: false)
        }
        let writer = ResponseWriter(output, length: length)
        do {
            try scratch.withUnsafeBytes { try output.write($0) }
            guard !silent else { return }
            try write(writer)
            try writer.finish()
        } catch {
            try? writer.finish()
            throw WriteFailure(error: error, headWasSent: true)
        }
    }

    /// The length to state for a body of `length` bytes: 205 has the length 0, 204 and 304 have none (RFC 9110, section 8.6).
    private func statedLength(_ length: Int) -> Int? {
        guard isWithoutContent else { return length }
        return status.code == 205 ? 0 : nil
    }

    private func head(
        _ contentLength: Int?,
        _ scratch: inout [UInt8],
        _ onLargeHead: (Int) -> Void
    ) throws(ResponseError) {
        let start = scratch.count
        try ResponseHead.encode(self, contentLength: contentLength, into: &scratch)
        let count = scratch.count - start
        if count > ResponseHead.commonLimit { onLargeHead(count) }
    }

    /// A response that did not get out.
    struct WriteFailure: Error {
        let error: any Error
        /// The client may have seen a part: no other response can take its place.
        let headWasSent: Bool
    }
}
