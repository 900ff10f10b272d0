internal import Glibc

/// The one writer of answers: STDOUT and STDERR records, their end, and END_REQUEST (FastCGI 1.0, sections 3.3 and 5.5).
///
/// It sends what the connection takes and never waits, unless it is asked to: a peer that reads slowly, or not at all, holds
/// no worker. A small answer is one send from memory that is kept for the next.
///
/// Threading: used by whoever holds the exchange.
struct Outbox: ~Copyable {
    enum Progress {
        case done
        /// The connection takes no more for now.
        case blocked
        /// All that was written to the stream has gone out; more is to come.
        case starved
        case failed(ResponseError)
    }

    private var requestID: UInt16 = 0
    /// The web server would use the connection again.
    private var isWanted = false
    /// It could: the next request begins where this one ends.
    private var mayBeKept = false
    /// It may: the answer's end has not said otherwise.
    private(set) var endsKept = false

    // One window of the answer: `prefix`, then a part of the content, then `suffix`; `sent` bytes of them have gone out.
    private var prefix = RecordBuffer()
    private var content = 0..<0
    private var suffix = RecordBuffer()
    private var sent = 0
    private var isLast = false
    /// The window stands; before, the head waits in `prefix` for what comes behind it.
    private var isPrepared = false
    /// All bytes that have gone out.
    private(set) var sentBytes = 0

    // The content that no window has held yet, and where it comes from.
    private var body: [UInt8] = []
    private var position = 0
    private var rest = 0
    private var file: ResponseFile?
    private var stream: StreamBuffer?

    /// What follows a header block that does not stand in its record.
    enum Body {
        case none
        case bytes([UInt8])
        case file(ResponseFile, Range<Int>)
        case stream(StreamBuffer)
    }

    init() {
        file = nil
    }

    /// The content of records below this size is copied behind the head; of others a window of its own is sent.
    static let smallContent = 8_192
    /// What one connection may take in a turn.
    private static let turn = 4 << 20
    /// Memory that is kept from one answer to the next.
    private static let keptMemory = 64 << 10

    // MARK: Putting together

    /// Begins an answer; its header block is to be appended to ``head``.
    ///
    /// - Parameters:
    ///   - isWanted: The web server wants to use the connection again.
    ///   - mayBeKept: The next request begins where this one ends.
    ///   - errors: What the request has written to its error stream.
    mutating func begin(requestID: UInt16, isWanted: Bool, mayBeKept: Bool, errors: [UInt8]) {
        self.requestID = requestID
        self.isWanted = isWanted
        self.mayBeKept = mayBeKept
        endsKept = false
        prefix.removeAll(keepingAtMost: Self.keptMemory)
        suffix.removeAll()
        content = 0..<0
        sent = 0
        sentBytes = 0
        isLast = false
        isPrepared = false
        letGo()
        appendErrors(errors)
        headStart = prefix.count
        prefix.appendZeros(RecordHeader.size)
    }

    private var headStart = 0

    /// Where the header block, and a small body, are put together.
    var head: RecordBuffer {
        _read { yield prefix }
        _modify { yield &prefix }
    }

    /// Closes the record of the head; the body follows it.
    mutating func enclose(_ body: Body) {
        let start = headStart + RecordHeader.size
        let count = prefix.count - start
        if count <= RecordHeader.largestContent {
            prefix.setRecordHeader(at: headStart, RecordHeader.Kind.stdout, id: requestID, count)
            prefix.appendZeros(RecordHeader.padding(count))
        } else {
            let block = Array(prefix.bytes[start...])
            prefix.truncate(to: headStart)
            block.withUnsafeBytes { prefix.appendRecords(RecordHeader.Kind.stdout, id: requestID, $0) }
        }
        switch body {
        case .none: break
        case .bytes(let bytes):
            self.body = bytes
            rest = bytes.count
        case .file(let file, let range):
            position = range.lowerBound
            rest = range.count
            self.file = file
        case .stream(let stream): self.stream = stream
        }
    }

    /// Lets go of what an answer holds; the memory for the next one's head stays.
    mutating func letGo() {
        if !body.isEmpty { body = [] }
        position = 0
        rest = 0
        file = nil
        stream = nil
    }

    private mutating func appendErrors(_ errors: [UInt8]) {
        guard !errors.isEmpty else { return }
        errors.withUnsafeBytes { prefix.appendRecords(RecordHeader.Kind.stderr, id: requestID, $0) }
    }

    // MARK: Sending

    /// Sends what the connection takes now.
    ///
    /// - Parameters:
    ///   - errors: Gives what the request has written to its error stream meanwhile.
    ///   - isServing: Asked once, before the end of the answer goes out: from then on the web server may send the next
    ///     request.
    mutating func send(on fd: Int32, errors: () -> [UInt8], isServing: () -> Bool) -> Progress {
        let end = sentBytes + Self.turn
        while true {
            // However fast it reads: others have their turn. Room that is there raises an event at once.
            guard sentBytes < end else { return .blocked }
            if !isPrepared || sent == prefix.count + content.count + suffix.count {
                guard !isLast else { return .done }
                do throws(ResponseError) {
                    guard try prepare(errors, isServing) else { return .starved }
                } catch {
                    return .failed(error)
                }
            }
            let count: Int
            do throws(ResponseError) { count = try transmit(fd) } catch { return .failed(error) }
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

    /// Sends all of `bytes`, and waits for room: for streams that are written on a worker.
    ///
    /// - Parameter timeout: Longest wait during which the peer takes nothing, in milliseconds.
    mutating func write(
        _ bytes: UnsafeRawBufferPointer, on fd: Int32, errors: [UInt8], timeout: Int32
    ) throws(ResponseError) {
        var offset = 0
        repeat {
            let part = UnsafeRawBufferPointer(
                rebasing: bytes[offset..<min(offset + RecordHeader.largestContent, bytes.count)])
            offset += part.count
            if isPrepared { prefix.removeAll() }
            isPrepared = true
            if offset == part.count { appendErrors(errors) }
            suffix.removeAll()
            if part.count > 0 {
                prefix.appendRecordHeader(RecordHeader.Kind.stdout, id: requestID, part.count)
                suffix.appendZeros(RecordHeader.padding(part.count))
            }
            sent = 0
            while sent < prefix.count + part.count + suffix.count {
                let count = transmit(fd, part)
                if count > 0 {
                    sent += count
                    sentBytes += count
                } else if errno == EAGAIN {
                    var room = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
                    guard poll(&room, 1, timeout) != 0 else { throw ResponseError(.closed) }
                } else if errno != EINTR {
                    throw ResponseError(.closed)
                }
            }
        } while offset < bytes.count
        content = 0..<0
        // All of the window has gone out.
        prefix.removeAll()
        suffix.removeAll()
        sent = 0
    }

    /// Puts the next window together: at first the head, each time the next record of the body, at last the end. False when
    /// the stream has nothing yet.
    private mutating func prepare(_ errors: () -> [UInt8], _ isServing: () -> Bool) throws(ResponseError) -> Bool {
        let hasHead = !isPrepared
        if rest == 0, let stream {
            switch stream.take() {
            case .nothing:
                guard hasHead else { return false }
            case .bytes(let bytes):
                body = bytes
                position = 0
                rest = bytes.count
            case .end: self.stream = nil
            case .failed(let error): throw error
            }
        }
        if isPrepared {
            prefix.removeAll()
            // Those of the head are in front of it.
            appendErrors(errors())
        }
        isPrepared = true
        suffix.removeAll()
        sent = 0
        let count = min(rest, RecordHeader.largestContent)
        content = 0..<0
        if count > 0 {
            content = position..<position + count
            position += count
            prefix.appendRecordHeader(RecordHeader.Kind.stdout, id: requestID, count)
            suffix.appendZeros(RecordHeader.padding(count))
            rest -= count
        }
        guard rest == 0, stream == nil else { return true }
        isLast = true
        endsKept = isWanted && mayBeKept && isServing()
        let isFarewell = isWanted && !endsKept
        if count > 0 {
            suffix.appendEnd(id: requestID, isFarewell: isFarewell)
        } else {
            prefix.appendEnd(id: requestID, isFarewell: isFarewell)
        }
        return true
    }

    /// Hands the rest of the window to the kernel; returns what it took, or -1 with errno.
    private mutating func transmit(_ fd: Int32) throws(ResponseError) -> Int {
        if content.isEmpty { return transmit(fd, UnsafeRawBufferPointer(start: nil, count: 0)) }
        guard file != nil else {
            return body.withUnsafeBytes { transmit(fd, UnsafeRawBufferPointer(rebasing: $0[content])) }
        }
        // A file's pages go to the connection as they are: a third of the price of reading and writing them.
        let done = sent - prefix.count
        if (0..<content.count).contains(done) {
            return try file!.send(to: fd, content.count - done, from: content.lowerBound + done)
        }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL) | (done < 0 ? Int32(MSG_MORE) : 0)
        let (part, start) = done < 0 ? (prefix.bytes, sent) : (suffix.bytes, done - content.count)
        return Glibc.send(fd, part.baseAddress! + start, part.count - start, flags)
    }

    private borrowing func transmit(_ fd: Int32, _ content: UnsafeRawBufferPointer) -> Int {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let (prefix, suffix) = (prefix.bytes, suffix.bytes)
        if content.isEmpty, suffix.isEmpty {
            return Glibc.send(fd, prefix.baseAddress! + sent, prefix.count - sent, flags)
        }
        var skip = sent
        return withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { parts in
            var count = 0
            func add(_ part: UnsafeRawBufferPointer) {
                if skip < part.count {
                    parts[count] = iovec(
                        iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress! + skip),
                        iov_len: part.count - skip)
                    count += 1
                }
                skip = max(0, skip - part.count)
            }
            add(prefix)
            add(content)
            add(suffix)
            var message = msghdr()
            message.msg_iov = parts.baseAddress
            message.msg_iovlen = count
            return sendmsg(fd, &message, flags)
        }
    }
}
