public import struct GalletaPlatform.ByteString

/// All values of a session, by key: a flat, immutable block of bytes, and what providers keep and hand back.
///
/// One heap object of 24 bytes and the encoded entries, whatever the number of keys; a copy is a retain. A key is found
/// by a scan and only then decoded. A change makes a new block (`applying(_:limits:)`), so a record that another thread
/// reads never changes under it.
///
/// Order: of insertion; a changed key moves to the end.
public struct SessionValues: @unchecked Sendable {
    // Safe to share: `SessionValuesStorage.build` fills the bytes before anyone else has the object, and nothing writes
    // afterwards.
    let storage: SessionValuesStorage?

    init(storage: SessionValuesStorage?) {
        self.storage = storage
    }

    /// No values.
    public init() {
        storage = nil
    }

    /// The number of application keys.
    public var count: Int { Int(storage?.header.keyCount ?? 0) }

    /// The bytes of all entries, reserved ones included: what `SessionLimits.bytes` counts.
    public var byteCount: Int { Int(storage?.header.byteCount ?? 0) }

    /// True when there is no entry at all, not even a reserved one.
    public var isEmpty: Bool { storage == nil }

    /// The application keys in order.
    public var keys: [ByteString] {
        entryKeys.lazy.filter { !$0.isReserved }.map(\.name)
    }

    /// All keys in order, reserved ones included: for providers that write each value by itself.
    public var entryKeys: [SessionKey] {
        var keys: [SessionKey] = []
        forEachEntry { entry in
            keys.append(SessionKey(ByteString(bytes: entry.key), isReserved: entry.isReserved))
        }
        return keys
    }

    /// The value of the application key `key`; nil when there is none.
    public subscript(key: ByteString) -> SessionValue? {
        self[SessionKey(key)]
    }

    /// The value of `key`; nil when there is none.
    public subscript(key: SessionKey) -> SessionValue? {
        withValue(of: key) { bytes in
            var reader = ValueReader(bytes)
            return reader.value()
        } ?? nil
    }

    /// True when `key` has a value.
    public func contains(_ key: SessionKey) -> Bool {
        withValue(of: key) { _ in true } ?? false
    }

    /// The user whom the session is bound to.
    public var user: ByteString? { self[.user]?.name }

    /// Where the block is, for a hint to the processor; 0 without one.
    package var address: UInt {
        storage.map { UInt(bitPattern: ObjectIdentifier($0)) } ?? 0
    }

    /// Calls `body` with the encoded bytes: for snapshots and stores that keep the block as it is.
    public func withEncodedBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        guard let storage else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return try storage.withUnsafeMutablePointers { header, bytes in
            try body(UnsafeRawBufferPointer(start: bytes, count: Int(header.pointee.byteCount)))
        }
    }

    /// Calls `body` with the encoded value of `key`; nil when there is none.
    func withValue<Result>(of key: SessionKey, _ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        guard let storage else { return nil }
        return key.name.withUnsafeBytes { name in
            storage.withBytes { bytes in
                var entries = EntryReader(bytes)
                while let entry = entries.next() {
                    if entry.isReserved == key.isReserved, entry.key.isSame(as: name) {
                        return body(entry.value)
                    }
                }
                return nil
            }
        }
    }

    func forEachEntry(_ body: (EntryReader.Entry) -> Void) {
        storage?.withBytes { bytes in
            var entries = EntryReader(bytes)
            while let entry = entries.next() {
                body(entry)
            }
        }
    }
}

extension SessionValues: Equatable {
    /// True when both hold equal values under the same keys, whatever the order.
    public static func == (left: SessionValues, right: SessionValues) -> Bool {
        if left.storage === right.storage { return true }
        let keys = left.entryKeys
        return keys.count == right.entryKeys.count && keys.allSatisfy { left[$0] == right[$0] }
    }
}
