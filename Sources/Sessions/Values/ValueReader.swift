internal import struct GalletaPlatform.ByteString

/// Reads what `ValueWriter` wrote. Every step is checked: bytes may come from a file or another process.
struct ValueReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var isAtEnd: Bool { offset >= bytes.count }

    mutating func byte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = byte() {
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift <= 63 else { return nil }
        }
        return nil
    }

    /// A count or length; never more than there are bytes left, so nothing large is reserved for a lie.
    mutating func count() -> Int? {
        guard let value = varint(), value <= UInt64(bytes.count - offset) else { return nil }
        return Int(value)
    }

    mutating func span(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= bytes.count - offset else { return nil }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }

    mutating func text() -> String? {
        guard let count = count(), let span = span(count) else { return nil }
        return String(utf8: span)
    }

    mutating func name() -> ByteString? {
        guard let count = count(), let span = span(count) else { return nil }
        return ByteString(bytes: span)
    }

    mutating func value(depth: Int = 0) -> SessionValue? {
        guard let tag = byte() else { return nil }
        switch tag {
        case ValueWriter.Tag.null: return .null
        case ValueWriter.Tag.no: return .bool(false)
        case ValueWriter.Tag.yes: return .bool(true)
        case ValueWriter.Tag.int:
            return varint().map { .int(Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1)) }
        case ValueWriter.Tag.double:
            return span(8).map {
                .double(Double(bitPattern: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))))
            }
        case ValueWriter.Tag.string: return text().map { .string($0) }
        case ValueWriter.Tag.bytes:
            guard let count = count(), let span = span(count) else { return nil }
            return .bytes(Array(span))
        case ValueWriter.Tag.array:
            guard depth < SessionValue.maximumDepth, let count = count() else { return nil }
            var elements: [SessionValue] = []
            // A damaged count may be much too large, at each of 64 levels.
            elements.reserveCapacity(min(count, 256))
            for _ in 0..<count {
                guard let element = value(depth: depth + 1) else { return nil }
                elements.append(element)
            }
            return .array(elements)
        case ValueWriter.Tag.object:
            guard depth < SessionValue.maximumDepth, let count = count() else { return nil }
            var members = SessionObject()
            for _ in 0..<count {
                guard let key = name(), let member = value(depth: depth + 1) else { return nil }
                members[key] = member
            }
            return .object(members)
        case ValueWriter.Tag.opaque:
            guard let name = name(), let count = count(), let span = span(count) else { return nil }
            return .opaque(SessionOpaqueValue(typeName: name, bytes: Array(span)))
        default: return nil
        }
    }
}
