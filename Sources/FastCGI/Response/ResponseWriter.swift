internal import GalletaPlatform

/// Where the closure of a streamed response writes.
///
/// A write blocks while the web server does not read, for at most the write timeout. Small writes are gathered;
/// ``flush()`` sends them at once.
///
/// Threading: any thread while the closure runs; writes of several threads take turns. Not usable afterwards.
public final class ResponseWriter: Sendable {
    /// Sends bytes as records, and waits until they have gone out.
    typealias Sink = (UnsafeRawBufferPointer) throws(ResponseError) -> Void

    // Safe to send: whoever holds the state's lock is the only one to use the sink.
    private struct State: @unchecked Sendable {
        var sink: Sink?
        var gathered: [UInt8] = []
        var written = 0
        let length: Int?
    }

    private let state: Locked<State>

    /// So many bytes are worth a send.
    private static let worthSending = 32 << 10

    init(length: Int?, sink: @escaping Sink) {
        state = Locked(State(sink: sink, length: length))
    }

    /// Writes text in UTF-8.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone or more is written than was declared.
    public func write(_ text: String) throws(ResponseError) {
        var text = text
        try text.withBytes { bytes throws(ResponseError) in try write(bytes) }
    }

    /// Writes bytes.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone or more is written than was declared.
    public func write(_ bytes: [UInt8]) throws(ResponseError) {
        try bytes.withUnsafeBufferPointer { buffer throws(ResponseError) in
            try write(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Writes bytes without a copy.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone or more is written than was declared.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(ResponseError) {
        try state.withLock { state throws(ResponseError) in
            guard let sink = state.sink else { throw ResponseError(.finished) }
            if let length = state.length, state.written + bytes.count > length {
                throw ResponseError(.lengthMismatch(declared: length, written: state.written + bytes.count))
            }
            state.written += bytes.count
            if state.gathered.count + bytes.count < Self.worthSending {
                state.gathered.append(contentsOf: bytes)
            } else {
                if !state.gathered.isEmpty { try Self.send(&state, sink) }
                try sink(bytes)
            }
        }
    }

    /// Sends what was gathered, and the header if it has not been sent.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone.
    public func flush() throws(ResponseError) {
        try state.withLock { state throws(ResponseError) in
            guard let sink = state.sink else { throw ResponseError(.finished) }
            try Self.send(&state, sink)
        }
    }

    private static func send(_ state: inout State, _ sink: Sink) throws(ResponseError) {
        let gathered = state.gathered
        state.gathered.removeAll(keepingCapacity: true)
        try gathered.withUnsafeBufferPointer { bytes throws(ResponseError) in try sink(UnsafeRawBufferPointer(bytes)) }
    }

    /// No more writes. Throws if less was written than declared.
    func finish() throws(ResponseError) {
        try state.withLock { state throws(ResponseError) in
            guard let sink = state.sink else { return }
            if let length = state.length, state.written != length {
                throw ResponseError(.lengthMismatch(declared: length, written: state.written))
            }
            if !state.gathered.isEmpty { try Self.send(&state, sink) }
            state.sink = nil
        }
    }

    /// No more writes, whatever there is.
    func close() {
        state.withLock { $0.sink = nil }
    }
}
