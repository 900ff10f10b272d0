/// Records put together in an array of bytes (FastCGI 1.0, section 3.3).
extension [UInt8] {
    /// Padding that makes a record's content end at a multiple of eight, as the specification recommends.
    private static func padding(_ count: Int) -> Int { (8 - count % 8) % 8 }

    mutating func appendPadding(of count: Int) {
        append(contentsOf: repeatElement(0, count: Self.padding(count)))
    }

    /// The header of a record whose padding follows by ``appendPadding(of:)``.
    mutating func appendRecordHeader(_ type: UInt8, id: UInt16, _ count: Int) {
        let start = self.count
        append(contentsOf: repeatElement(0, count: RecordHeader.size))
        setRecordHeader(at: start, type, id: id, count)
    }

    mutating func setRecordHeader(at start: Int, _ type: UInt8, id: UInt16, _ count: Int) {
        self[start] = 1
        self[start + 1] = type
        self[start + 2] = UInt8(id >> 8)
        self[start + 3] = UInt8(id & 0xff)
        self[start + 4] = UInt8(count >> 8)
        self[start + 5] = UInt8(count & 0xff)
        self[start + 6] = UInt8(Self.padding(count))
        self[start + 7] = 0
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
