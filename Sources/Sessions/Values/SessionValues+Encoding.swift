internal import struct GalletaPlatform.ByteString

extension SessionValues {
    /// The values of bytes that `withEncodedBytes` gave, in this process or another.
    ///
    /// - Throws: `SessionError` of code `invalidEncoding` when an entry is cut short, a value makes no sense or a key
    ///   comes twice. Nothing is trusted: the bytes may come from a damaged file.
    public init(encoded bytes: UnsafeRawBufferPointer) throws {
        guard bytes.count > 0 else {
            self.init()
            return
        }
        let damaged = SessionError(.invalidEncoding, "encoded session values are damaged")
        guard bytes.count <= Int(UInt32.max) else { throw damaged }
        var entries = EntryReader(bytes)
        var seen: Set<SessionKey> = []
        while let entry = entries.next() {
            var reader = ValueReader(entry.value)
            guard reader.value() != nil, reader.isAtEnd,
                seen.insert(SessionKey(ByteString(bytes: entry.key), isReserved: entry.isReserved)).inserted
            else { throw damaged }
        }
        guard entries.isAtEnd else { throw damaged }
        self.init(
            storage: .build(byteCount: bytes.count, keyCount: seen.lazy.filter { !$0.isReserved }.count) {
                $0.copyMemory(from: bytes)
            })
    }

    /// These values under these keys, without limits: for providers that keep each value by itself.
    ///
    /// - Throws: `SessionError` of code `notEncodable` when a value nests too deep.
    public init(_ values: some Sequence<(SessionKey, SessionValue)>) throws {
        var patch = SessionPatch()
        for (key, value) in values {
            try patch.set(value, for: key)
        }
        self = try SessionValues().applying(patch, limits: .none)
    }

    /// A new block with the patch's changes made; `self` stays as it is.
    ///
    /// Cost: one allocation and a copy of the bytes.
    ///
    /// - Throws: `SessionError` of code `overLimit` when the result would pass the limits and be larger than before:
    ///   a session that is over a lowered limit can still shrink.
    public func applying(_ patch: SessionPatch, limits: SessionLimits) throws(SessionError) -> SessionValues {
        guard !patch.changes.isEmpty else { return self }
        var kept = 0
        var keys = 0
        forEachEntry { entry in
            guard !patch.changes(entry.head) else { return }
            kept += entry.all.count
            keys += entry.isReserved ? 0 : 1
        }
        var total = kept
        for change in patch.changes where !change.isRemoval {
            total += change.entry.count
            keys += change.isReserved ? 0 : 1
        }
        try limits.check(bytes: total, keys: keys, before: self)
        guard total > 0 else { return SessionValues() }
        return SessionValues(
            storage: .build(byteCount: total, keyCount: keys) { target in
                var offset = 0
                func append(_ bytes: UnsafeRawBufferPointer) {
                    UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: bytes)
                    offset += bytes.count
                }
                forEachEntry { entry in
                    if !patch.changes(entry.head) { append(entry.all) }
                }
                for change in patch.changes where !change.isRemoval {
                    change.entry.withUnsafeBytes { append($0) }
                }
            })
    }
}
