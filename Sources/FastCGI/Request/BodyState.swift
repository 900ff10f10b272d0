internal import CFastCGI

/// The body of one request while it is being answered, with the limits that libfcgi does not know.
struct BodyState {
    /// Where the bytes are.
    enum Source {
        case none
        // Safe: set by the worker while the request is being answered; used under the context's lock.
        /// The whole body waits on the connection, checked: libfcgi reads it.
        case library(UnsafeMutablePointer<FCGX_Stream>)
        /// The worker has gathered it; the connection is at the next request's first byte.
        case spool(BodySpool)
    }

    var source = Source.none
    var received = 0
    var limit = 0
    var declared: Int?
    var phase = Phase.open

    enum Phase {
        /// Bytes may follow.
        case open
        /// The end was read and the length was right.
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
        guard buffer.count > 0 else { return 0 }
        if let declared, declared > limit { throw fail(.tooLarge(limit: limit)) }
        let (count, isEnd) = try readSource(into: buffer)
        received += count
        if received > limit { throw fail(.tooLarge(limit: limit)) }
        if isEnd {
            if let declared, declared != received {
                throw fail(.truncated(received: received, declared: declared))
            }
            if count == 0 { phase = .ended }
        }
        return count
    }

    /// Reads from where the bytes are; the end is known at the latest when there are no more.
    private mutating func readSource(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(RequestBodyError) -> (count: Int, isEnd: Bool) {
        switch source {
        case .none: throw RequestBodyError(.requestFinished)
        case .library(let stream):
            let wanted = Int32(clamping: buffer.count)
            let count = FCGX_GetStr(buffer.baseAddress!.assumingMemoryBound(to: CChar.self), wanted, stream)
            guard count < wanted else { return (Int(count), false) }
            // libfcgi stops short at the end of STDIN, or at an error, never in between.
            let failure = FCGX_GetError(stream)
            guard failure == 0 else { throw fail(.of(failure, received: received + Int(count))) }
            return (Int(count), true)
        case .spool(var spool):
            // One owner at a time: a copy of what is in memory would be made otherwise.
            source = .none
            defer { source = .spool(spool) }
            do throws(FormError) {
                let count = try spool.read(into: buffer)
                return (count, count == 0 || received + count == spool.count)
            } catch {
                throw fail(.storage(error.description))
            }
        }
    }

    private mutating func fail(_ code: RequestBodyError.Code) -> RequestBodyError {
        let error = RequestBodyError(code)
        phase = .failed(error)
        return error
    }

    /// Reads away what libfcgi has not read, so that the next request begins where its head does. True if the end of
    /// STDIN was reached without an error.
    ///
    /// Every byte waits on the connection already: this neither blocks nor goes on for long.
    mutating func drain(into scratch: UnsafeMutableRawBufferPointer) -> Bool {
        if case .ended = phase { return true }
        switch source {
        case .none: return false
        case .spool: return true
        case .library(let stream):
            let wanted = Int32(clamping: scratch.count)
            let start = scratch.baseAddress!.assumingMemoryBound(to: CChar.self)
            while FCGX_GetStr(start, wanted, stream) == wanted {}
            guard FCGX_GetError(stream) == 0 else { return false }
            phase = .ended
            return true
        }
    }
}
