internal import struct GalletaPlatform.ByteString

/// For providers that keep each value by itself and need not know what it is.
///
/// A value's encoding is stable; the article "What Redis holds" of RedisSessions describes it, for other languages.
extension SessionValues {
    /// Calls `body` with each key, reserved ones included, and its encoded value, in order.
    public func forEachEncoded(_ body: (SessionKey, UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard let storage else { return }
        try storage.withUnsafeMutablePointers { header, bytes in
            var entries = EntryReader(UnsafeRawBufferPointer(start: bytes, count: Int(header.pointee.byteCount)))
            while let entry = entries.next() {
                try body(SessionKey(ByteString(bytes: entry.key), isReserved: entry.isReserved), entry.value)
            }
        }
    }

    /// The values of keys and encoded values, in this order.
    ///
    /// - Throws: `SessionError` of code `invalidEncoding` when a value makes no sense or a key comes twice. Nothing is
    ///   trusted.
    public init(encodedValues: some Sequence<(SessionKey, [UInt8])>) throws {
        var block: [UInt8] = []
        for (key, value) in encodedValues {
            SessionPatch.Change.appendHead(of: key, to: &block)
            ValueWriter.append(varint: UInt64(value.count), to: &block)
            block.append(contentsOf: value)
        }
        self = try block.withUnsafeBytes { try SessionValues(encoded: $0) }
    }

    /// What an entry adds to ``byteCount``: its key and its encoded value, each with its length.
    ///
    /// - Parameters:
    ///   - keyCount: Bytes of the key.
    ///   - valueCount: Bytes of the encoded value.
    public static func byteCount(ofKey keyCount: Int, value valueCount: Int) -> Int {
        ValueWriter.varintCount(UInt64(keyCount) << 1) + keyCount + ValueWriter.varintCount(UInt64(valueCount))
            + valueCount
    }
}

extension SessionPatch.Change {
    /// Calls `body` with the new value, encoded; with nil for a removal.
    public func withEncodedValue<Result>(_ body: (UnsafeRawBufferPointer?) throws -> Result) rethrows -> Result {
        guard !isRemoval else { return try body(nil) }
        return try entry.withUnsafeBytes { bytes in
            var reader = ValueReader(bytes, offset: headCount)
            _ = reader.varint()
            return try body(UnsafeRawBufferPointer(rebasing: bytes[reader.offset...]))
        }
    }
}

extension SessionValue {
    /// The value as ``SessionValues`` encode it: a tag and its payload.
    ///
    /// - Throws: `SessionError` of code `notEncodable` when it nests too deep.
    public func encoded() throws -> [UInt8] {
        var out: [UInt8] = []
        try ValueWriter.append(self, to: &out)
        return out
    }

    /// The value of an encoding; nil when it makes no sense.
    public init?(encoded bytes: UnsafeRawBufferPointer) {
        var reader = ValueReader(bytes)
        guard let value = reader.value(), reader.isAtEnd else { return nil }
        self = value
    }
}

extension SessionKey {
    /// The key and an encoded value as one run of bytes, as ``SessionValues`` keep them.
    package func encodedEntry(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        var entry: [UInt8] = []
        entry.reserveCapacity(name.count + value.count + 10)
        SessionPatch.Change.appendHead(of: self, to: &entry)
        ValueWriter.append(varint: UInt64(value.count), to: &entry)
        entry.append(contentsOf: value)
        return entry
    }

    /// The key and the encoded value of such a run; nil when it makes no sense.
    package static func entry(encoded bytes: [UInt8]) -> (SessionKey, [UInt8])? {
        bytes.withUnsafeBytes { bytes in
            var entries = EntryReader(bytes)
            guard let entry = entries.next(), entries.isAtEnd else { return nil }
            return (SessionKey(ByteString(bytes: entry.key), isReserved: entry.isReserved), Array(entry.value))
        }
    }
}
