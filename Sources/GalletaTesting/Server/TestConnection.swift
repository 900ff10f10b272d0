internal import GalletaPlatform
internal import Glibc

/// A client's end of the connection that carries one request: it sends the records and reads those of the answer.
///
/// Threading: one thread at a time; `close` from any.
final class TestConnection: @unchecked Sendable {
    // Safe: see threading; the descriptor stays open as long as there is anybody who could look at it.
    private let descriptor: Int32
    private let records: [UInt8]
    private var sent = 0
    private var reader = RecordReader()

    /// What came of waiting.
    enum Arrival {
        case record(RecordReader.Record)
        /// The server has closed the connection.
        case end
        case timeout
    }

    /// - Parameters:
    ///   - descriptor: Connected, and not blocking; closed by this object.
    ///   - records: What to send.
    init(_ descriptor: Int32, _ records: [UInt8]) {
        self.descriptor = descriptor
        self.records = records
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// Ends the connection: the server sees it, and so does who waits here.
    func close() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Waits for the next record of the answer, and sends meanwhile what is left of the request.
    func next(until deadline: BootInstant) -> Arrival {
        while true {
            if let record = reader.next() { return .record(record) }
            send()
            switch receive() {
            case .some(true): continue
            case .some(false): return .end
            case nil: break
            }
            let left = BootInstant.now.duration(to: deadline)
            guard left > .zero else { return .timeout }
            var waiting = pollfd(
                fd: descriptor, events: Int16(POLLIN | (sent < records.count ? POLLOUT : 0)), revents: 0)
            poll(&waiting, 1, Int32(clamping: left.nanoseconds / 1_000_000 + 1))
        }
    }

    private func send() {
        while sent < records.count {
            let count = records.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, records.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                // The server takes no more of it: its answer may have come before.
                sent = records.count
            }
        }
    }

    /// True when something has come, false at the end; nil when nothing is there.
    private func receive() -> Bool? {
        while true {
            let count = reader.withRoom(64 << 10) { recv(descriptor, $0.baseAddress!, $0.count, 0) }
            if count > 0 { return true }
            if count == 0 { return false }
            if errno == EAGAIN { return nil }
            if errno != EINTR { return false }
        }
    }
}
