internal import CFastCGI
internal import GalletaPlatform

/// The request's STDERR stream (FastCGI 1.0, section 5.3): what is written here reaches the web server's error log.
///
/// Nothing is sent for a request that writes nothing. Threading: any thread until the request is answered; later writes
/// are dropped.
public struct ErrorStream: Sendable {
    let context: RequestContext

    /// Writes one message; the web server ends the line. Control characters become spaces, so that a message cannot
    /// forge log lines.
    public func write(_ message: String) {
        var bytes = message.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: " ") : $0 }
        bytes.append(UInt8(ascii: "\n"))
        context.output.withLock { state in
            guard let stream = state.errorStream else { return }
            _ = bytes.withUnsafeBytes { FCGX_Stream.put(stream, $0) }
        }
    }
}
