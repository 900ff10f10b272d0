internal import CFastCGI
internal import GalletaPlatform
internal import Glibc

/// The bytes of a streamed answer on their way out: small ones through libfcgi's 8 KiB stream, which gathers them; large
/// ones as records of our own on the same connection, which costs a third. A write waits for the web server to read.
///
/// Used by one thread at a time.
struct ResponseOutput {
    // Safe: both streams live until the worker closes them, after the response was written.
    let stream: UnsafeMutablePointer<FCGX_Stream>
    let fd: Int32
    let requestID: UInt16

    /// From here on own records pay.
    static let directThreshold = 8_192

    func write(_ bytes: UnsafeRawBufferPointer) throws(ResponseError) {
        guard !bytes.isEmpty else { return }
        if bytes.count < Self.directThreshold {
            guard FCGX_Stream.put(stream, bytes) else { throw ResponseError(.closed) }
        } else {
            try flush()
            try writeRecords(bytes)
        }
    }

    /// Sends what libfcgi holds back.
    func flush() throws(ResponseError) {
        guard FCGX_FFlush(stream) == 0, FCGX_GetError(stream) == 0 else { throw ResponseError(.closed) }
    }

    private func writeRecords(_ bytes: UnsafeRawBufferPointer) throws(ResponseError) {
        var offset = 0
        while offset < bytes.count {
            let count = min(bytes.count - offset, RecordHeader.largestContent)
            try writeRecord(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
            offset += count
        }
    }

    /// One STDOUT record (FastCGI 1.0, section 3.3), in one call as a rule.
    private func writeRecord(_ content: UnsafeRawBufferPointer) throws(ResponseError) {
        var header: [UInt8] = []
        header.appendRecordHeader(RecordHeader.Kind.stdout, id: requestID, content.count)
        var padding: [UInt8] = []
        padding.appendPadding(of: content.count)
        let succeeded = header.withUnsafeMutableBytes { header in
            padding.withUnsafeMutableBytes { padding in
                Self.writeAll(
                    fd,
                    [
                        iovec(iov_base: header.baseAddress, iov_len: header.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: content.baseAddress), iov_len: content.count),
                        iovec(iov_base: padding.baseAddress, iov_len: padding.count),
                    ]
                )
            }
        }
        guard succeeded else { throw ResponseError(.closed) }
    }

    private static func writeAll(_ fd: Int32, _ parts: [iovec]) -> Bool {
        var parts = parts[...]
        while let first = parts.first {
            if first.iov_len == 0 {
                parts.removeFirst()
                continue
            }
            var written = parts.withUnsafeBufferPointer { writev(fd, $0.baseAddress!, Int32($0.count)) }
            if written < 0 {
                if errno == EINTR { continue }
                return false
            }
            while written > 0, var part = parts.first {
                let count = min(written, part.iov_len)
                written -= count
                part.iov_base = part.iov_base.map { $0 + count }
                part.iov_len -= count
                if part.iov_len == 0 { parts.removeFirst() } else { parts[parts.startIndex] = part }
            }
        }
        return true
    }
}
