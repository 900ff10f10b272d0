/// base64url without padding (RFC 4648 section 5), strict: no line breaks, no padding, no non-zero trailing bits.
package enum Base64URL {
    /// 0...63 for a character of the alphabet, 255 for any other byte.
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() {
            table[Int(character)] = UInt8(value)
        }
        return table
    }()

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The number of characters that `count` bytes take.
    package static func encodedCount(_ count: Int) -> Int {
        (count * 4 + 2) / 3
    }

    /// Writes the text of `source`; `target` must have room for `encodedCount(source.count)` bytes.
    package static func encode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= encodedCount(source.count))
        alphabet.withUnsafeBufferPointer { alphabet in
            var bits: UInt32 = 0
            var held: UInt32 = 0
            var out = 0
            for byte in source {
                bits = bits << 8 | UInt32(byte)
                held += 8
                while held >= 6 {
                    held -= 6
                    target[out] = alphabet[Int(bits >> held & 63)]
                    out += 1
                }
            }
            if held > 0 {
                target[out] = alphabet[Int(bits << (6 - held) & 63)]
            }
        }
    }

    /// Decodes exactly `target.count` bytes; false when the length, a character or the trailing bits are wrong.
    package static func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        guard source.count == encodedCount(target.count) else { return false }
        // Four characters at a time; what is none has high bits, which are looked at once, in the end.
        return values.withUnsafeBufferPointer { values in
            var seen: UInt8 = 0
            func bits(_ position: Int) -> UInt32 {
                let value = values[Int(source[position])]
                seen |= value
                return UInt32(value & 63)
            }
            var (read, written) = (0, 0)
            while read + 4 <= source.count {
                let group = bits(read) << 18 | bits(read + 1) << 12 | bits(read + 2) << 6 | bits(read + 3)
                target[written] = UInt8(truncatingIfNeeded: group >> 16)
                target[written + 1] = UInt8(truncatingIfNeeded: group >> 8)
                target[written + 2] = UInt8(truncatingIfNeeded: group)
                read += 4
                written += 3
            }
            var trailing: UInt32 = 0
            switch source.count - read {
            case 2:
                let group = bits(read) << 6 | bits(read + 1)
                target[written] = UInt8(truncatingIfNeeded: group >> 4)
                trailing = group & 0xF
            case 3:
                let group = bits(read) << 12 | bits(read + 1) << 6 | bits(read + 2)
                target[written] = UInt8(truncatingIfNeeded: group >> 10)
                target[written + 1] = UInt8(truncatingIfNeeded: group >> 2)
                trailing = group & 3
            default: break
            }
            return seen < 64 && trailing == 0
        }
    }

    /// The text of `bytes`.
    package static func string(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: encodedCount(bytes.count)) { target in
            bytes.withUnsafeBytes { encode($0, into: UnsafeMutableRawBufferPointer(target)) }
            return encodedCount(bytes.count)
        }
    }

    /// The bytes of `text`, nil when it is not strict base64url.
    package static func bytes(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { source in
            guard source.count % 4 != 1 else { return nil }
            // Not into an empty array's storage, which all arrays share.
            guard !source.isEmpty else { return [] }
            let count = source.count * 3 / 4
            var fits = false
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { target, written in
                written = count
                target.initialize(repeating: 0)
                fits = decode(UnsafeRawBufferPointer(source), into: UnsafeMutableRawBufferPointer(target))
            }
            return fits ? bytes : nil
        }
    }
}
