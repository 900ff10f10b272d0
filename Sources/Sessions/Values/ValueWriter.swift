internal import struct GalletaPlatform.ByteString

/// Writes values in the compact form that `SessionValues` keeps.
///
/// A value is a tag byte and its payload: nothing for null and the booleans, a zigzag varint for a whole number, eight
/// little-endian bytes for a double, varint length and bytes for text and bytes, varint count and the members for
/// arrays and objects; the type's name and the bytes, each with its length, for an opaque value.
enum ValueWriter {
    enum Tag {
        static let null: UInt8 = 0
        static let no: UInt8 = 1
        static let yes: UInt8 = 2
        static let int: UInt8 = 3
        static let double: UInt8 = 4
        static let string: UInt8 = 5
        static let bytes: UInt8 = 6
        static let array: UInt8 = 7
        static let object: UInt8 = 8
        static let opaque: UInt8 = 9
    }

    static func append(_ value: SessionValue, to out: inout [UInt8], depth: Int = 0) throws(SessionError) {
        switch value {
        case .null: out.append(Tag.null)
        case .bool(let flag): out.append(flag ? Tag.yes : Tag.no)
        case .int(let number):
            out.append(Tag.int)
            append(varint: UInt64(bitPattern: (number << 1) ^ (number >> 63)), to: &out)
        case .double(let number):
            out.append(Tag.double)
            withUnsafeBytes(of: number.bitPattern.littleEndian) { out.append(contentsOf: $0) }
        case .string(let text):
            out.append(Tag.string)
            append(text: text, to: &out)
        case .bytes(let bytes):
            out.append(Tag.bytes)
            append(varint: UInt64(bytes.count), to: &out)
            out.append(contentsOf: bytes)
        case .array(let elements):
            try checkDepth(depth)
            out.append(Tag.array)
            append(varint: UInt64(elements.count), to: &out)
            for element in elements {
                try append(element, to: &out, depth: depth + 1)
            }
        case .object(let members):
            try checkDepth(depth)
            out.append(Tag.object)
            append(varint: UInt64(members.count), to: &out)
            for (key, member) in members {
                append(name: key, to: &out)
                try append(member, to: &out, depth: depth + 1)
            }
        case .opaque(let value):
            out.append(Tag.opaque)
            append(name: value.typeName, to: &out)
            append(varint: UInt64(value.bytes.count), to: &out)
            out.append(contentsOf: value.bytes)
        }
    }

    static func append(text: String, to out: inout [UInt8]) {
        var text = text
        text.withUTF8 {
            append(varint: UInt64($0.count), to: &out)
            out.append(contentsOf: $0)
        }
    }

    static func append(name: ByteString, to out: inout [UInt8]) {
        name.withUnsafeBytes {
            append(varint: UInt64($0.count), to: &out)
            out.append(contentsOf: $0)
        }
    }

    static func append(varint value: UInt64, to out: inout [UInt8]) {
        var value = value
        while value >= 0x80 {
            out.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        out.append(UInt8(truncatingIfNeeded: value))
    }

    /// The bytes that `value` takes as a varint.
    static func varintCount(_ value: UInt64) -> Int {
        max(1, (70 - value.leadingZeroBitCount) / 7)
    }

    private static func checkDepth(_ depth: Int) throws(SessionError) {
        guard depth < SessionValue.maximumDepth else {
            throw SessionError(.notEncodable, "arrays and objects nest deeper than \(SessionValue.maximumDepth)")
        }
    }
}
