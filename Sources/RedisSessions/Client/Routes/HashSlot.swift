/// The slot of a cluster that keys with a hash tag belong to (Redis cluster specification, "Key distribution model").
enum HashSlot {
    static let count = 16_384

    /// - Parameter tag: What stands between the key's first braces.
    static func of(_ tag: some Sequence<UInt8>) -> Int {
        // CRC-16/XMODEM.
        var crc: UInt16 = 0
        for byte in tag {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        }
        return Int(crc) % count
    }
}
