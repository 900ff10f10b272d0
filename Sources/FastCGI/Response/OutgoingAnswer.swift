internal import Glibc

/// One answer on its way out: STDOUT records, their end, and END_REQUEST (FastCGI 1.0, sections 3.3 and 5.5).
///
/// It is sent as the connection takes it and never waits: a peer that reads slowly, or not at all, holds no worker. A
/// small answer is one write.
///
/// Used by one thread at a time.
struct OutgoingAnswer: ~Copyable {
    enum Progress {
        case done
        /// The connection takes no more for now.
        case blocked
        case failed(ResponseError)
    }

    /// What follows a header block that does not stand in its record.
    enum Body: ~Copyable {
        case none
        case bytes([UInt8])
        case file(ResponseFile)
    }

    let status: Int
    private let requestID: UInt16
    /// The web server would use the connection again.
    private let keepsConnection: Bool
    /// It may: the answer's end has not said otherwise.
    private(set) var endsKept = false

    // One window of the answer: `prefix`, then `body[content]`, then `suffix`; `sent` bytes of them have gone out.
    private var prefix: [UInt8]
    private var body: [UInt8] = []
    private var content = 0..<0
    private var suffix: [UInt8] = []
    private var sent = 0
    private var isLast = false
    private var isPrepared = false
    /// All bytes that have gone out.
    private(set) var sentBytes = 0
    /// How much of the body no window has held so far, and where it comes from.
    private var position = 0
    private var rest = 0
    private var file: ResponseFile?

    /// Room that `head` leaves in front of the header block: its record's header.
    static let gap = RecordHeader.size

    /// - Parameters:
    ///   - head: ``gap`` bytes, the header block, and a small body if there is one. Reused as a buffer.
    ///   - body: What else there is.
    ///   - keepsConnection: The web server wants to keep the connection, and the next request begins where this one ends.
    init(status: Int, requestID: UInt16, head: consuming [UInt8], body: consuming Body, keepsConnection: Bool) {
        self.status = status
        self.requestID = requestID
        self.keepsConnection = keepsConnection
        prefix = head
        file = nil
        switch consume body {
        case .none: break
        case .bytes(let bytes):
            self.body = bytes
            rest = bytes.count
        case .file(let file):
            rest = file.length
            self.file = consume file
        }
        encloseHead()
    }

    /// The end alone, of an answer that was streamed.
    init(status: Int, endOf requestID: UInt16, keepsConnection: Bool) {
        self.status = status
        self.requestID = requestID
        self.keepsConnection = keepsConnection
        prefix = []
        file = nil
    }

    /// The buffer, for the next answer.
    consuming func takeBuffer() -> [UInt8] { prefix }

    /// Sends what the connection takes now.
    ///
    /// - Parameter isServing: Asked once, before the end of the answer goes out: from then on the web server may send the
    ///   next request.
    mutating func send(on fd: Int32, isServing: () -> Bool) -> Progress {
        while true {
            if sent == prefix.count + content.count + suffix.count || !isPrepared {
                guard !isLast else { return .done }
                do throws(ResponseError) { try prepare(isServing) } catch { return .failed(error) }
            }
            let count = transmit(fd)
            if count > 0 {
                sent += count
                sentBytes += count
            } else if errno == EAGAIN {
                return .blocked
            } else if errno != EINTR {
                return .failed(ResponseError(.closed))
            }
        }
    }

    // MARK: Records

    /// Makes records of what stands behind the gap.
    private mutating func encloseHead() {
        let count = prefix.count - Self.gap
        guard count > RecordHeader.largestContent else {
            prefix.setRecordHeader(at: 0, RecordHeader.Kind.stdout, id: requestID, count)
            prefix.appendPadding(of: count)
            return
        }
        let block = prefix[Self.gap...]
        var records: [UInt8] = []
        records.reserveCapacity(prefix.count + 64)
        for start in stride(from: block.startIndex, to: block.endIndex, by: RecordHeader.largestContent) {
            let part = block[start..<min(start + RecordHeader.largestContent, block.endIndex)]
            records.appendRecordHeader(RecordHeader.Kind.stdout, id: requestID, part.count)
            records += part
            records.appendPadding(of: part.count)
        }
        prefix = records
    }

    /// Puts the next window together: at first the head, each time the next record of the body, at last the end.
    private mutating func prepare(_ isServing: () -> Bool) throws(ResponseError) {
        if isPrepared { prefix.removeAll(keepingCapacity: true) }
        isPrepared = true
        suffix.removeAll(keepingCapacity: true)
        sent = 0
        let count = min(rest, RecordHeader.largestContent)
        content = 0..<0
        if count > 0 {
            try load(count)
            prefix.appendRecordHeader(RecordHeader.Kind.stdout, id: requestID, count)
            suffix.appendPadding(of: count)
            rest -= count
        }
        guard rest == 0 else { return }
        isLast = true
        endsKept = keepsConnection && isServing()
        let isFarewell = keepsConnection && !endsKept
        if count > 0 {
            suffix.appendEnd(id: requestID, isFarewell: isFarewell)
        } else {
            prefix.appendEnd(id: requestID, isFarewell: isFarewell)
        }
    }

    private mutating func load(_ count: Int) throws(ResponseError) {
        guard file != nil else {
            content = position..<position + count
            position += count
            return
        }
        if body.count < count { body = [UInt8](repeating: 0, count: count) }
        try file!.read(into: &body, count, from: position)
        content = 0..<count
        position += count
    }

    // MARK: Sending

    /// Hands the rest of the window to the kernel; returns what it took, or -1 with errno.
    private borrowing func transmit(_ fd: Int32) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        if content.isEmpty, suffix.isEmpty {
            return prefix.withUnsafeBytes { Glibc.send(fd, $0.baseAddress! + sent, $0.count - sent, flags) }
        }
        return prefix.withUnsafeBytes { prefix in
            body.withUnsafeBytes { body in
                suffix.withUnsafeBytes { suffix in
                    var skip = sent
                    return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { parts in
                        var count = 0
                        for part in [prefix, UnsafeRawBufferPointer(rebasing: body[content]), suffix] {
                            if skip < part.count {
                                parts[count] = iovec(
                                    iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress! + skip),
                                    iov_len: part.count - skip)
                                count += 1
                            }
                            skip = max(0, skip - part.count)
                        }
                        var message = msghdr()
                        message.msg_iov = parts.baseAddress
                        message.msg_iovlen = count
                        return sendmsg(fd, &message, flags)
                    }
                }
            }
        }
    }
}
