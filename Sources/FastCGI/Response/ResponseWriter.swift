internal import GalletaPlatform

/// Where the closure of a streamed response writes.
///
/// A write blocks while the web server does not read, for at most the write timeout. Small writes are gathered;
/// ``flush()`` sends them at once.
///
/// Threading: any thread while the closure runs; writes of several threads take turns. Not usable afterwards.
public final class ResponseWriter: Sendable {
    // Safe to send: whoever holds the state's lock is the only one to use the output's streams.
    private struct State: @unchecked Sendable {
        var output: ResponseOutput?
        var written = 0
        let length: Int?
    }

    private let state: Locked<State>

    init(_ output: ResponseOutput, length: Int?) {
        state = Locked(State(output: output, length: length))
    }

    /// Writes text in UTF-8.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone or more is written than was declared.
    public func write(_ text: String) throws(ResponseError) {
        try write(Array(text.utf8))
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
            guard let output = state.output else { throw ResponseError(.finished) }
            if let length = state.length, state.written + bytes.count > length {
                throw ResponseError(.lengthMismatch(declared: length, written: state.written + bytes.count))
            }
            try output.write(bytes)
            state.written += bytes.count
        }
    }

    /// Sends what was gathered.
    ///
    /// - Throws: ``ResponseError`` when the web server has gone.
    public func flush() throws(ResponseError) {
        try state.withLock { state throws(ResponseError) in
            guard let output = state.output else { throw ResponseError(.finished) }
            try output.flush()
        }
    }

    /// No more writes. Throws if less was written than declared.
    func finish() throws(ResponseError) {
        try state.withLock { state throws(ResponseError) in
            state.output = nil
            if let length = state.length, state.written != length {
                throw ResponseError(.lengthMismatch(declared: length, written: state.written))
            }
        }
    }
}
