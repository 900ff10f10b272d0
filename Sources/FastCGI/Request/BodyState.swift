internal import CFastCGI
internal import Glibc

/// The body of one request while it is being answered: all of it is there, and libfcgi reads it.
struct BodyState {
    // Safe: set by the worker while the request is being answered; used under the context's lock.
    private var stream: UnsafeMutablePointer<FCGX_Stream>?
    private var hasEnded = false
    private var failure: RequestBodyError?

    /// Of a request that is answered.
    init() {
        failure = RequestBodyError(.requestFinished)
    }

    /// - Parameter failure: Why there is none to be read.
    init(_ stream: UnsafeMutablePointer<FCGX_Stream>, failure: RequestBodyError?) {
        self.stream = stream
        self.failure = failure
    }

    /// Reads some bytes; 0 at the end of the body. An error was reported once is reported again.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(RequestBodyError) -> Int {
        if let failure { throw failure }
        guard let stream, !hasEnded, buffer.count > 0 else { return 0 }
        let wanted = Int32(clamping: buffer.count)
        let count = FCGX_GetStr(buffer.baseAddress!.assumingMemoryBound(to: CChar.self), wanted, stream)
        guard count < wanted else { return Int(count) }
        // libfcgi stops short at the end of STDIN, or at an error, never in between.
        let code = FCGX_GetError(stream)
        guard code == 0 else {
            let error = RequestBodyError(.storage(String(cString: strerror(code))))
            failure = error
            throw error
        }
        hasEnded = true
        return Int(count)
    }
}
