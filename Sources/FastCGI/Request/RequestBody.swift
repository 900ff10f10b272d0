internal import GalletaPlatform

/// The body of a request (the STDIN stream, FastCGI 1.0, section 5.3), read once, in order.
///
/// All of it has arrived before the handler runs, so reading does not wait for the network: a client that sends slowly
/// holds no worker. Up to 64 KiB are held in memory, the rest in a file without a name in
/// ``FormLimits/temporaryDirectory``. A body that is never read is discarded. An Authorizer has no body: it reads as empty
/// (section 6.3).
///
/// Threading: any thread until the request is answered; reads of several threads take turns.
public struct RequestBody: Sendable {
    let context: RequestContext

    /// Reads up to `buffer.count` bytes.
    ///
    /// - Returns: How many bytes were read; 0 only at the end of the body.
    /// - Throws: ``RequestBodyError`` when the body is over the limit or its length differs from CONTENT_LENGTH: an error,
    ///   never a short body. For a body that was cut short or stopped coming the handler does not run: the server answers
    ///   with 400 or 408.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(RequestBodyError) -> Int {
        guard context.role == .responder else { return 0 }
        return try context.live.withLock { live throws(RequestBodyError) in try live.body.read(into: buffer) }
    }

    /// Reads all that is left.
    ///
    /// - Returns: At most ``Server/Configuration/maxBodyBytes`` bytes.
    /// - Throws: ``RequestBodyError``, as ``read(into:)``.
    public func collect() throws(RequestBodyError) -> [UInt8] {
        var collected: [UInt8] = []
        // The declared length is the peer's word: trusted for a reservation of a modest size only.
        var chunk = [UInt8](repeating: 0, count: max(min(context.contentLength ?? 16_384, 262_144), 512))
        while true {
            let count = try chunk.withUnsafeMutableBufferPointer { buffer throws(RequestBodyError) in
                try read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if count == 0 { return collected }
            if collected.isEmpty && count == context.contentLength && count == chunk.count {
                collected = chunk
            } else {
                collected.append(contentsOf: chunk[..<count])
            }
        }
    }

    /// Reads all that is left as text; invalid UTF-8 is replaced by U+FFFD.
    ///
    /// - Throws: ``RequestBodyError``, as ``read(into:)``.
    public func string() throws(RequestBodyError) -> String {
        String(decoding: try collect(), as: UTF8.self)
    }
}
