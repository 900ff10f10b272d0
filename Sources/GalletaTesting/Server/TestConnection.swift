internal import GalletaPlatform
internal import Glibc

/// A client's end of the connection that carries one request: it sends the records and reads those of the answer.
///
/// Threading: one thread at a time; `cancel` and `close` from any.
final class TestConnection: @unchecked Sendable {
    // Safe: see threading; the descriptor is behind a lock, for it is closed while others may look at it.
    private let descriptor: Locked<Int32>
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
        self.descriptor = Locked(descriptor)
        self.records = records
    }

    deinit {
        close()
    }

    /// Has whoever waits here see the end of the connection.
    func cancel() {
        descriptor.withLock { if $0 >= 0 { _ = shutdown($0, Int32(SHUT_RDWR)) } }
    }

    func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { Glibc.close(descriptor) }
            descriptor = -1
        }
    }

    /// Waits for the next record of the answer, and sends meanwhile what is left of the request.
    func next(until deadline: BootInstant) -> Arrival {
        while true {
            if let record = reader.next() { return .record(record) }
            let fd = descriptor.withLock { $0 }
            guard fd >= 0 else { return .end }
            send(fd)
            switch receive(fd) {
            case .some(true): continue
            case .some(false): return .end
            case nil: break
            }
            let left = BootInstant.now.duration(to: deadline)
            guard left > .zero else { return .timeout }
            var waiting = pollfd(fd: fd, events: Int16(POLLIN | (sent < records.count ? POLLOUT : 0)), revents: 0)
            poll(&waiting, 1, Int32(clamping: left.nanoseconds / 1_000_000 + 1))
        }
    }

    private func send(_ fd: Int32) {
        while sent < records.count {
            let count = records.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress! + sent, records.count - sent, Int32(MSG_NOSIGNAL))
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
    private func receive(_ fd: Int32) -> Bool? {
        while true {
            let count = reader.withRoom(64 << 10) { recv(fd, $0.baseAddress!, $0.count, 0) }
            if count > 0 { return true }
            if count == 0 { return false }
            if errno == EAGAIN { return nil }
            if errno != EINTR { return false }
        }
    }
}
