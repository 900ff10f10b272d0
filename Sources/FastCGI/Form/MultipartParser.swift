internal import Glibc

/// Cuts `multipart/form-data` (RFC 7578, RFC 2046, section 5.1) into parts, without I/O of its own.
///
/// Alternate: ``next()`` until it wants input, then ``fill(_:)``; at the end of the input ``finish()``. It holds one
/// buffer of a fixed size whatever the body's size. Lines end in CRLF and nothing else: a reader more lenient than a
/// filter before it would see other parts than the filter.
struct MultipartParser: ~Copyable {
    enum Event: Equatable {
        /// Everything in the buffer is used up.
        case needsInput
        /// A part begins.
        case began(PartHead)
        /// Bytes of the part, by their place in the buffer, valid until the next call: see ``withBytes(_:_:)``.
        case bytes(Range<Int>)
        /// The part is complete.
        case ended
        /// The body is complete.
        case finished
    }

    private enum State {
        /// Before the first delimiter: discarded.
        case preamble
        /// Behind a delimiter: `--`, or the end of its line.
        case delimiter(isPadded: Bool)
        /// In a part's headers; so many bytes hold no end of them.
        case head(searched: Int)
        /// In a part's content.
        case content
        /// Behind the last delimiter: discarded.
        case epilogue
    }

    /// CRLF, two hyphens and the boundary.
    private let delimiter: [UInt8]
    private let maxHeadBytes: Int
    private var state = State.preamble
    private var isInputOver = false
    // Input waits in buffer[start..<end].
    private var buffer: [UInt8]
    private var start = 0
    private var end: Int

    /// - Parameters:
    ///   - boundary: As in the Content-Type, valid (``FormEncoding``).
    ///   - bufferSize: At least 64 bytes and the boundary's more than `maxHeadBytes`.
    ///   - maxHeadBytes: Most bytes of one part's headers.
    init(boundary: [UInt8], bufferSize: Int = 64 << 10, maxHeadBytes: Int = 8 << 10) {
        precondition(bufferSize >= maxHeadBytes + boundary.count + 64)
        delimiter = Array("\r\n--".utf8) + boundary
        self.maxHeadBytes = maxHeadBytes
        buffer = [UInt8](repeating: 0, count: bufferSize)
        // The first delimiter needs no line before it: this one stands in for it.
        buffer[0] = UInt8(ascii: "\r")
        buffer[1] = UInt8(ascii: "\n")
        end = 2
    }

    /// Takes more input, when ``next()`` asked for it.
    ///
    /// - Parameter source: Writes into the buffer and says how many bytes it wrote; 0 at the end of the input.
    /// - Returns: False at the end of the input.
    mutating func fill(_ source: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Bool {
        if start > 0 {
            // A few bytes: the beginning of a delimiter or of a part's head.
            buffer.withUnsafeMutableBytes { bytes in
                _ = memmove(bytes.baseAddress!, bytes.baseAddress! + start, end - start)
            }
            end -= start
            start = 0
        }
        let room = buffer.count - end
        let count = try buffer.withUnsafeMutableBytes { bytes in
            try source(UnsafeMutableRawBufferPointer(rebasing: bytes[end...]))
        }
        precondition(room > 0 && (0...room).contains(count))
        end += count
        return count > 0
    }

    /// Says that the input is over.
    mutating func finish() {
        isInputOver = true
    }

    /// The bytes of an event.
    func withBytes<Result>(
        _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// What comes next in the input.
    ///
    /// - Throws: ``FormError`` for a malformed form, or one that ends too early.
    mutating func next() throws(FormError) -> Event {
        while true {
            switch state {
            case .preamble:
                let (content, isDelimiter) = scan()
                start = content.upperBound
                guard isDelimiter else { return try needsInput() }
                passDelimiter()
            case .content:
                let (content, isDelimiter) = scan()
                start = content.upperBound
                if !content.isEmpty { return .bytes(content) }
                guard isDelimiter else { return try needsInput() }
                passDelimiter()
                return .ended
            case .delimiter(let isPadded):
                guard try readDelimiterLine(isPadded: isPadded) else { return try needsInput() }
            case .head(let searched):
                guard let head = try readHead(searched: searched) else { return try needsInput() }
                state = .content
                return .began(head)
            case .epilogue:
                start = end
                return isInputOver ? .finished : .needsInput
            }
        }
    }

    private func needsInput() throws(FormError) -> Event {
        if isInputOver { throw FormError(.truncated) }
        return .needsInput
    }

    private mutating func passDelimiter() {
        start += delimiter.count
        state = .delimiter(isPadded: false)
    }

    /// The bytes before the next delimiter, or before what may become one.
    private func scan() -> (content: Range<Int>, isDelimiter: Bool) {
        buffer.withUnsafeBytes { bytes in
            delimiter.withUnsafeBytes { delimiter in
                var from = start
                while from < end, let found = memchr(bytes.baseAddress! + from, CInt(delimiter[0]), end - from) {
                    let position = UnsafeRawPointer(found) - bytes.baseAddress!
                    let length = min(delimiter.count, end - position)
                    if memcmp(found, delimiter.baseAddress!, length) == 0 {
                        return (start..<position, length == delimiter.count)
                    }
                    from = position + 1
                }
                return (start..<end, false)
            }
        }
    }

    /// The rest of a delimiter's line; false if it is not complete.
    private mutating func readDelimiterLine(isPadded: Bool) throws(FormError) -> Bool {
        var isPadded = isPadded
        // Transport padding (RFC 2046, section 5.1.1).
        while start < end, buffer[start] == UInt8(ascii: " ") || buffer[start] == UInt8(ascii: "\t") {
            start += 1
            isPadded = true
        }
        guard end - start >= 2 else {
            state = .delimiter(isPadded: isPadded)
            return false
        }
        switch (buffer[start], buffer[start + 1]) {
        case (UInt8(ascii: "\r"), UInt8(ascii: "\n")):
            state = .head(searched: 0)
        case (UInt8(ascii: "-"), UInt8(ascii: "-")) where !isPadded:
            state = .epilogue
        default:
            throw FormError(.malformed("a boundary has something behind it"))
        }
        start += 2
        return true
    }

    /// The headers and the blank line behind them; nil if they are not complete.
    private mutating func readHead(searched: Int) throws(FormError) -> PartHead? {
        var index = start + searched
        while index + 3 < end {
            if buffer[index] == UInt8(ascii: "\r"), buffer[index + 1] == UInt8(ascii: "\n"),
                buffer[index + 2] == UInt8(ascii: "\r"), buffer[index + 3] == UInt8(ascii: "\n")
            {
                guard index - start <= maxHeadBytes else { break }
                let head = try PartHead(parsing: buffer[start..<index])
                start = index + 4
                return head
            }
            index += 1
        }
        guard index - start <= maxHeadBytes else { throw FormError(.partHeadTooLarge(limit: maxHeadBytes)) }
        state = .head(searched: index - start)
        return nil
    }
}
