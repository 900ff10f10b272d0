internal import HTTPTypes

extension Response {
    /// What of a response is still to be written once its head stands in the outbox.
    enum Rest {
        /// Nothing: the outbox has it all.
        case whole
        /// A stream that is written on a worker.
        case written(length: Int?, @Sendable (ResponseWriter) throws -> Void)
        /// A stream that a task writes into a buffer.
        case task(StreamBuffer, @Sendable () async throws -> Void)
    }

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

    /// Puts the head, and a body that is there, into an outbox that has begun an answer.
    ///
    /// - Parameters:
    ///   - call: Has a worker come for a stream's bytes.
    ///   - onLargeHead: Called with the size of a header block over nginx's default buffer.
    func put(
        into outbox: inout Outbox, method: HTTPRequest.Method, call: @escaping @Sendable () -> Void = {},
        onLargeHead: (Int) -> Void
    ) throws(ResponseError) -> Rest {
        let silent = forbidsBody(method)
        switch body {
        case .empty: try head(statedLength(0), &outbox, onLargeHead)
        case .bytes(let bytes):
            try head(statedLength(bytes.count), &outbox, onLargeHead)
            if !silent, bytes.count >= Outbox.smallContent {
                outbox.enclose(.bytes(bytes))
                return .whole
            }
            if !silent { bytes.withUnsafeBytes { outbox.head.append($0) } }
        case .string(var text):
            let count = text.utf8.count
            try head(statedLength(count), &outbox, onLargeHead)
            if !silent, count >= Outbox.smallContent {
                outbox.enclose(.bytes(Array(text.utf8)))
                return .whole
            }
            if !silent { text.withUTF8 { outbox.head.append(UnsafeRawBufferPointer($0)) } }
        case .file(let file, let range):
            let range = (range ?? 0..<file.length).clamped(to: 0..<file.length)
            try head(statedLength(range.count), &outbox, onLargeHead)
            outbox.enclose(silent ? .none : .file(file, range))
            return .whole
        case .stream(let length, let write):
            try head(isWithoutContent ? statedLength(0) : length, &outbox, onLargeHead)
            outbox.enclose(.none)
            return silent ? .whole : .written(length: length, write)
        case .asyncStream(let length, let write):
            try head(isWithoutContent ? statedLength(0) : length, &outbox, onLargeHead)
            let stream = StreamBuffer(length: length, isEvents: false, call: call)
            outbox.enclose(silent ? .none : .stream(stream))
            return silent ? .whole : .task(stream) { try await write(AsyncResponseWriter(buffer: stream)) }
        case .events(let write):
            try head(isWithoutContent ? statedLength(0) : nil, &outbox, onLargeHead)
            let stream = StreamBuffer(length: nil, isEvents: true, call: call)
            outbox.enclose(silent ? .none : .stream(stream))
            return silent
                ? .whole : .task(stream) { try await write(EventWriter(writer: AsyncResponseWriter(buffer: stream))) }
        }
        outbox.enclose(.none)
        return .whole
    }

    /// The length to state for a body of `length` bytes: 205 has the length 0, 204 and 304 have none (RFC 9110, section 8.6).
    private func statedLength(_ length: Int) -> Int? {
        guard isWithoutContent else { return length }
        return status.code == 205 ? 0 : nil
    }

    private func head(_ contentLength: Int?, _ outbox: inout Outbox, _ onLargeHead: (Int) -> Void) throws(ResponseError)
    {
        let start = outbox.head.count
        try ResponseHead.encode(self, contentLength: contentLength, into: &outbox.head)
        let count = outbox.head.count - start
        if count > ResponseHead.commonLimit { onLargeHead(count) }
    }
}
