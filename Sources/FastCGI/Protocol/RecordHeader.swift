/// The eight bytes in front of every FastCGI record (FastCGI 1.0, section 3.3).
struct RecordHeader {
    static let size = 8
    /// Most content that this server puts into one record: the largest multiple of eight, so that none needs padding.
    static let largestContent = 65_528

    /// Record types (FastCGI 1.0, section 8) that are told apart.
    enum Kind {
        static let beginRequest: UInt8 = 1
        static let abortRequest: UInt8 = 2
        static let endRequest: UInt8 = 3
        static let params: UInt8 = 4
        static let stdin: UInt8 = 5
        static let stdout: UInt8 = 6
        static let unknownType: UInt8 = 11
    }

    let version: UInt8
    let type: UInt8
    let requestID: UInt16
    let contentLength: Int
    let paddingLength: Int

    /// Reads the header out of its eight bytes in their order.
    init(word: UInt64) {
        version = UInt8(word >> 56)
        type = UInt8(word >> 48 & 0xff)
        requestID = UInt16(word >> 32 & 0xffff)
        contentLength = Int(word >> 16 & 0xffff)
        paddingLength = Int(word >> 8 & 0xff)
    }

    /// Bytes of the record after its header.
    var payloadLength: Int { contentLength + paddingLength }

    /// Padding that makes a record's content end at a multiple of eight, as the specification recommends.
    static func padding(_ count: Int) -> Int { (8 - count % 8) % 8 }

    /// Writes the header of a record of ``padding(_:)`` to eight bytes at `target`.
    static func write(_ type: UInt8, id: UInt16, _ count: Int, to target: UnsafeMutableRawPointer) {
        let lengths = UInt64(count) << 16 | UInt64(padding(count)) << 8
        let word = 1 << 56 | UInt64(type) << 48 | UInt64(id) << 32 | lengths
        target.storeBytes(of: word.bigEndian, as: UInt64.self)
    }
}

/// Records put together in an array of bytes (FastCGI 1.0, section 3.3).
extension [UInt8] {
    mutating func appendPadding(of count: Int) {
        append(contentsOf: repeatElement(0, count: RecordHeader.padding(count)))
    }

    /// The header of a record whose padding follows by ``appendPadding(of:)``.
    mutating func appendRecordHeader(_ type: UInt8, id: UInt16, _ count: Int) {
        let start = self.count
        append(contentsOf: repeatElement(0, count: RecordHeader.size))
        setRecordHeader(at: start, type, id: id, count)
    }

    mutating func setRecordHeader(at start: Int, _ type: UInt8, id: UInt16, _ count: Int) {
        precondition(start + RecordHeader.size <= self.count)
        withUnsafeMutableBytes { RecordHeader.write(type, id: id, count, to: $0.baseAddress! + start) }
    }

    /// The end of STDOUT, and END_REQUEST: complete, status 0 (section 5.5).
    ///
    /// FastCGI cannot say "I shall close": between END_REQUEST and the close the web server may send the next request,
    /// and loses it (1 in 20 under load). nginx takes a connection back into its pool only if nothing follows
    /// END_REQUEST, so a farewell has a record that means nothing here, UNKNOWN_TYPE (section 4.2), in the same write.
    mutating func appendEnd(id: UInt16, isFarewell: Bool) {
        appendRecordHeader(RecordHeader.Kind.stdout, id: id, 0)
        appendRecordHeader(RecordHeader.Kind.endRequest, id: id, 8)
        append(contentsOf: repeatElement(0, count: 8))
        guard isFarewell else { return }
        appendRecordHeader(RecordHeader.Kind.unknownType, id: 0, 8)
        append(contentsOf: repeatElement(0, count: 8))
    }
}
