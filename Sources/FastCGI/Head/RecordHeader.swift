/// The eight bytes in front of every FastCGI record (FastCGI 1.0, section 3.3).
struct RecordHeader {
    static let size = 8
    /// Most content that this server puts into one record: the largest multiple of eight, so that none needs padding.
    static let largestContent = 65_528

    /// Record types (FastCGI 1.0, section 8) that the head check tells apart.
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

    /// Reads the header at `offset`; the caller has checked that eight bytes are there.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        version = bytes[offset]
        type = bytes[offset + 1]
        requestID = UInt16(bytes[offset + 2]) << 8 | UInt16(bytes[offset + 3])
        contentLength = Int(bytes[offset + 4]) << 8 | Int(bytes[offset + 5])
        paddingLength = Int(bytes[offset + 6])
    }

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
}
