internal import Glibc

/// Bytes put together for sending, in memory that is kept from one answer to the next.
///
/// Text is copied in one piece, numbers are written in place: an array's `append(contentsOf:)` goes byte by byte through the
/// views of a string.
struct RecordBuffer: ~Copyable {
    // Safe: ours from the first append to deinit.
    private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0

    init() {}

    deinit {
        memory.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.baseAddress, count: count) }

    mutating func removeAll() {
        count = 0
    }

    /// - Parameter limit: More memory than this is given back.
    mutating func removeAll(keepingAtMost limit: Int) {
        count = 0
        guard memory.count > limit else { return }
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    /// Takes away all from `end` on.
    mutating func truncate(to end: Int) {
        count = min(count, end)
    }

    /// Room for so many more bytes; where they go.
    @inline(__always)
    private mutating func grow(_ more: Int) -> UnsafeMutableRawPointer {
        if count + more > memory.count { reallocate(count + more) }
        defer { count += more }
        return memory.baseAddress! + count
    }

    private mutating func reallocate(_ wanted: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(wanted, 2 * memory.count, 2048), alignment: 16)
        larger.copyMemory(from: bytes)
        memory.deallocate()
        memory = larger
    }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        guard more.count > 0 else { return }
        memcpy(grow(more.count), more.baseAddress!, more.count)
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    mutating func append(_ byte: UInt8) {
        grow(1).storeBytes(of: byte, as: UInt8.self)
    }

    /// A number that is not negative, in decimal digits.
    mutating func append(decimal number: Int) {
        var (rest, digits) = (number, 1)
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        let start = grow(digits)
        rest = number
        for position in stride(from: digits - 1, through: 0, by: -1) {
            start.storeBytes(of: UInt8(ascii: "0") + UInt8(rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
    }

    mutating func appendZeros(_ count: Int) {
        guard count > 0 else { return }
        memset(grow(count), 0, count)
    }

    /// Sends all of it to a peer that has read what was sent before; false if the connection does not take it at once.
    borrowing func sendAtOnce(on fd: Int32) -> Bool {
        send(fd, bytes.baseAddress!, count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) == count
    }

    // MARK: Records (FastCGI 1.0, section 3.3)

    /// The header of a record of `count` bytes, whose ``RecordHeader/padding(_:)`` follows its content.
    mutating func appendRecordHeader(_ type: UInt8, id: UInt16, _ count: Int) {
        RecordHeader.write(type, id: id, count, to: grow(RecordHeader.size))
    }

    mutating func setRecordHeader(at start: Int, _ type: UInt8, id: UInt16, _ count: Int) {
        precondition(start >= 0 && start + RecordHeader.size <= self.count)
        RecordHeader.write(type, id: id, count, to: memory.baseAddress! + start)
    }

    mutating func setWord(at start: Int, _ word: UInt64) {
        precondition(start >= 0 && start + 8 <= count)
        memory.storeBytes(of: word.bigEndian, toByteOffset: start, as: UInt64.self)
    }

    /// A whole record.
    mutating func appendRecord(_ type: UInt8, id: UInt16, _ content: UnsafeRawBufferPointer) {
        appendRecordHeader(type, id: id, content.count)
        append(content)
        appendZeros(RecordHeader.padding(content.count))
    }

    /// As many records as `content` needs.
    mutating func appendRecords(_ type: UInt8, id: UInt16, _ content: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: content.count, by: RecordHeader.largestContent) {
            let end = min(start + RecordHeader.largestContent, content.count)
            appendRecord(type, id: id, UnsafeRawBufferPointer(rebasing: content[start..<end]))
        }
    }

    /// The end of STDOUT, and END_REQUEST (section 5.5).
    ///
    /// FastCGI cannot say "I shall close": between END_REQUEST and the close the web server may send the next request,
    /// and loses it (1 in 20 under load). nginx takes a connection back into its pool only if nothing follows
    /// END_REQUEST, so a farewell has a record that means nothing here, UNKNOWN_TYPE (section 4.2), in the same write.
    ///
    /// - Parameter status: The protocol status: 0 for a request that was answered.
    mutating func appendEnd(id: UInt16, status: UInt8 = 0, isFarewell: Bool) {
        appendRecordHeader(RecordHeader.Kind.stdout, id: id, 0)
        appendRecordHeader(RecordHeader.Kind.endRequest, id: id, 8)
        appendZeros(8)
        // Behind four bytes of an exit status.
        memory.storeBytes(of: status, toByteOffset: count - 4, as: UInt8.self)
        guard isFarewell else { return }
        appendRecordHeader(RecordHeader.Kind.unknownType, id: 0, 8)
        appendZeros(8)
    }
}
