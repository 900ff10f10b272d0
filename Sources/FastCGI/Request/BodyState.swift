internal import Glibc

/// The body of one request while it is being answered: all of it is there, and libfcgi reads it.
struct BodyState {
    private var input: BodyInput?
    private var hasEnded = false
    private var failure: RequestBodyError?

    /// Of a request that is answered.
    init() {
        failure = RequestBodyError(.requestFinished)
    }

    /// - Parameters:
    ///   - input: Nil for an empty one.
    ///   - failure: Why there is none to be read.
    init(_ input: BodyInput?, failure: RequestBodyError?) {
        self.input = input
        self.failure = failure
    }

    /// Reads some bytes; 0 at the end of the body. An error was reported once is reported again.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(RequestBodyError) -> Int {
        if let failure { throw failure }
        guard let input, !hasEnded, buffer.count > 0 else { return 0 }
        let (count, code) = input.read(into: buffer)
        guard count < min(buffer.count, Int(Int32.max)) else { return count }
        // libfcgi stops short at the end of STDIN, or at an error, never in between.
        guard code == 0 else {
            let error = RequestBodyError(.storage(String(cString: strerror(code))))
            failure = error
            throw error
        }
        hasEnded = true
        return count
    }
}
