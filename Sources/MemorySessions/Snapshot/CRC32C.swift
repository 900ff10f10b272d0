/// The checksum CRC-32C (Castagnoli; RFC 3720, appendix B.4), eight bytes a step.
enum CRC32C {
    private static let polynomial: UInt32 = 0x82F6_3B78

    /// Eight tables of 256: the first for one byte, each next one for a byte that is one further ahead.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? polynomial : 0) }
            tables[byte] = value
        }
        for position in 256..<(8 * 256) {
            let before = tables[position - 256]
            tables[position] = before >> 8 ^ tables[Int(before & 0xFF)]
        }
        return tables
    }()

    /// The checksum of `bytes`, going on from that of the bytes before.
    static func checksum(_ bytes: UnsafeRawBufferPointer, after start: UInt32 = 0) -> UInt32 {
        tables.withUnsafeBufferPointer { tables in
            var crc = ~start
            var offset = 0
            while bytes.count - offset >= 8 {
                let word =
                    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ UInt64(crc)
                var next: UInt32 = 0
                for lane in 0..<8 {
                    next ^= tables[(7 - lane) << 8 | Int(truncatingIfNeeded: word >> UInt64(8 * lane) & 0xFF)]
                }
                crc = next
                offset += 8
            }
            while offset < bytes.count {
                crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes[offset])) & 0xFF)]
                offset += 1
            }
            return ~crc
        }
    }
}
