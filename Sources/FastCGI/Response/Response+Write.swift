internal import HTTPTypes

extension Response {
    /// HTTP forbids content here (RFC 9110, sections 9.3.2, 15.3.5, 15.4.5).
    private func forbidsBody(_ method: HTTPRequest.Method) -> Bool {
        method == .head || status.code == 204 || status.code == 304
    }

    /// Writes the whole response.
    ///
    /// - Parameters:
    ///   - scratch: Reused from request to request; its content is lost.
    ///   - onLargeHead: Called with the size of a header block over nginx's default buffer.
    /// - Throws: ``WriteFailure``, which says whether something was sent already.
    func write(
        to output: ResponseOutput,
        method: HTTPRequest.Method,
        scratch: inout [UInt8],
        onLargeHead: (Int) -> Void
    ) throws(WriteFailure) {
        let silent = forbidsBody(method)
        scratch.removeAll(keepingCapacity: true)
        switch body {
        case .empty:
            // A redirect or an error without content has the exact length 0; 204 and 304 have none to state.
            try head(silent && method != .head ? nil : 0, output, &scratch, onLargeHead)
            try send(scratch, to: output)
        case .bytes(let bytes):
            try head(statedLength(bytes.count, silent, method), output, &scratch, onLargeHead)
            if !silent, bytes.count < ResponseOutput.directThreshold { scratch.append(contentsOf: bytes) }
            try send(scratch, to: output)
            if !silent, bytes.count >= ResponseOutput.directThreshold { try send(bytes, to: output) }
        case .string(let text):
            try head(statedLength(text.utf8.count, silent, method), output, &scratch, onLargeHead)
            if !silent { scratch.append(contentsOf: text.utf8) }
            try send(scratch, to: output)
        case .file(let path):
            let file = try Self.attempt(headWasSent: false) { () throws(ResponseError) in try ResponseFile(path: path) }
            try head(statedLength(file.length, silent, method), output, &scratch, onLargeHead)
            try send(scratch, to: output)
            if !silent { try Self.attempt(headWasSent: true) { () throws(ResponseError) in try file.send(to: output) } }
        case .stream(let length, let write):
            try head(length.flatMap { statedLength($0, silent, method) }, output, &scratch, onLargeHead)
            try send(scratch, to: output)
            guard !silent else { return }
            let writer = ResponseWriter(output, length: length)
            do {
                try write(writer)
                try writer.finish()
            } catch {
                try? writer.finish()
                throw WriteFailure(error: error, headWasSent: true)
            }
        }
    }

    private func statedLength(_ length: Int, _ silent: Bool, _ method: HTTPRequest.Method) -> Int? {
        silent && (status.code == 204 || status.code == 304) ? nil : length
    }

    private func head(
        _ contentLength: Int?,
        _ output: ResponseOutput,
        _ scratch: inout [UInt8],
        _ onLargeHead: (Int) -> Void
    ) throws(WriteFailure) {
        try Self.attempt(headWasSent: false) { () throws(ResponseError) in
            try ResponseHead.encode(self, contentLength: contentLength, into: &scratch)
        }
        if scratch.count > ResponseHead.commonLimit { onLargeHead(scratch.count) }
    }

    private func send(_ bytes: [UInt8], to output: ResponseOutput) throws(WriteFailure) {
        try Self.attempt(headWasSent: true) { () throws(ResponseError) in
            try bytes.withUnsafeBufferPointer { buffer throws(ResponseError) in
                try output.write(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    private static func attempt<Value: ~Copyable>(
        headWasSent: Bool,
        _ body: () throws(ResponseError) -> Value
    ) throws(WriteFailure) -> Value {
        do {
            return try body()
        } catch {
            throw WriteFailure(error: error, headWasSent: headWasSent)
        }
    }

    /// A response that did not get out.
    struct WriteFailure: Error {
        let error: any Error
        /// The client may have seen a part: no other response can take its place.
        let headWasSent: Bool
    }
}
