internal import GalletaPlatform

/// The request's STDERR stream (FastCGI 1.0, section 5.3): what is written here reaches the web server's error log.
///
/// Messages are sent with the answer's next bytes; at most 64 KiB of them wait, what is more is dropped. Nothing is sent for
/// a request that writes nothing. Threading: any thread until the request is answered; later writes are dropped.
public struct ErrorStream: Sendable {
    let context: RequestContext

    /// Writes one message; the web server ends the line. Control characters become spaces, so that a message cannot
    /// forge log lines.
    public func write(_ message: String) {
        var bytes = message.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: " ") : $0 }
        bytes.append(UInt8(ascii: "\n"))
        context.live.withLock { $0.errors.append(bytes) }
    }
}

/// What a request has written to its error stream and nobody has sent.
struct ErrorText {
    private var bytes: [UInt8] = []
    private var isClosed = false

    private static let limit = 64 << 10

    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ message: [UInt8]) {
        guard !isClosed, bytes.count + message.count <= Self.limit else { return }
        bytes += message
    }

    mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Drops what follows; what is there is still to be sent.
    mutating func close() {
        isClosed = true
    }
}
