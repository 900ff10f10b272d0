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
        static let stderr: UInt8 = 7
        static let getValues: UInt8 = 9
        static let getValuesResult: UInt8 = 10
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
