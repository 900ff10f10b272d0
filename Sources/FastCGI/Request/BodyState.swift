internal import CFastCGI

/// The body of one request as libfcgi delivers it, with the limits that libfcgi does not know.
struct BodyState {
    // Safe: set by the worker while the request is being answered, nil otherwise; used under the context's lock.
    var stream: UnsafeMutablePointer<FCGX_Stream>?
    var received = 0
    var limit = 0
    var declared: Int?
    var phase = Phase.open

    enum Phase {
        /// Bytes may follow.
        case open
        /// The end record was read and the length was right.
        case ended
        /// An error was reported; every later read reports it again.
        case failed(RequestBodyError)
    }

    /// Reads some bytes; 0 at the end of the body.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(RequestBodyError) -> Int {
        switch phase {
        case .ended: return 0
        case .failed(let error): throw error
        case .open: break
        }
        guard let stream else { throw RequestBodyError(.requestFinished) }
        guard buffer.count > 0 else { return 0 }
        if let declared, declared > limit { throw fail(.tooLarge(limit: limit)) }

        let wanted = Int32(clamping: buffer.count)
        let count = Int(
            FCGX_GetStr(buffer.baseAddress!.assumingMemoryBound(to: CChar.self), wanted, stream)
        )
        received += count
        if received > limit { throw fail(.tooLarge(limit: limit)) }
        if count < Int(wanted) {
            // libfcgi stops short at the end of STDIN, or at an error, never in between.
            let failure = FCGX_GetError(stream)
            guard failure == 0 else { throw fail(.of(failure, received: received)) }
            if let declared, declared != received {
                throw fail(.truncated(received: received, declared: declared))
            }
            if count == 0 { phase = .ended }
        }
        return count
    }

    private mutating func fail(_ code: RequestBodyError.Code) -> RequestBodyError {
        let error = RequestBodyError(code)
        phase = .failed(error)
        return error
    }

    /// Reads what is left and forgets it, up to `maximum` bytes. True if the end of STDIN was reached without an error.
    ///
    /// An error of libfcgi's stream stays one: a second call does not wait again.
    mutating func drain(into scratch: UnsafeMutableRawBufferPointer, maximum: Int) -> Bool {
        if case .ended = phase { return true }
        guard let stream else { return false }
        var drained = 0
        while drained <= maximum {
            let count = Int(
                FCGX_GetStr(
                    scratch.baseAddress!.assumingMemoryBound(to: CChar.self),
                    Int32(clamping: scratch.count),
                    stream
                )
            )
            drained += count
            guard count < scratch.count else { continue }
            guard FCGX_GetError(stream) == 0 else { return false }
            phase = .ended
            return true
        }
        // Neither this call's nor the next one's to finish.
        self.stream = nil
        return false
    }
}
