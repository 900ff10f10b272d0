internal import struct GalletaPlatform.ByteString

/// Changes to a session, key by key, for a provider to make on the record as it is *then*.
///
/// A patch never holds the whole session, so two requests that change different keys both win. Of two changes to one
/// key in a patch the last counts.
public struct SessionPatch: Sendable {
    /// One key's change.
    public struct Change: Sendable {
        /// The encoded entry, or only its head (the key) when the key is removed.
        let entry: [UInt8]
        let headCount: Int

        /// True when the key is to be removed, false when it gets `value`.
        public var isRemoval: Bool { headCount == entry.count }

        /// The key.
        public var key: SessionKey {
            entry.withUnsafeBytes { bytes in
                var reader = ValueReader(bytes)
                let header = reader.varint() ?? 0
                let name = reader.span(Int(header >> 1)) ?? UnsafeRawBufferPointer(start: nil, count: 0)
                return SessionKey(ByteString(bytes: name), isReserved: header & 1 == 1)
            }
        }

        /// The new value, decoded from the entry; nil for a removal.
        public var value: SessionValue? {
            guard !isRemoval else { return nil }
            return entry.withUnsafeBytes { bytes in
                var reader = ValueReader(bytes, offset: headCount)
                _ = reader.varint()
                return reader.value()
            }
        }

        package var isReserved: Bool { entry[0] & 1 == 1 }
    }

    /// The changes, one a key.
    public private(set) var changes: [Change] = []
    /// Position by the hash of a key's head; only filled beyond the threshold. Of several heads of one hash the first.
    private var positions: [Int: Int] = [:]

    private static let indexThreshold = 16

    /// Whether the commit counts as the visitor's activity: it sets "last seen" and with it the idle deadline.
    public var touches = false

    /// New timeouts for the session; nil leaves them as they are.
    ///
    /// They count from "last seen" and from the session's beginning. A session whose deadline has passed by them is
    /// gone, and so is the outcome.
    public var lifetime: SessionLifetime?

    /// What the merged record may hold.
    public var limits = SessionLimits()

    /// No changes.
    public init() {}

    /// True when no key changes.
    public var isEmpty: Bool { changes.isEmpty }

    /// Sets `key`, whatever was there.
    ///
    /// - Throws: `SessionError` of code `notEncodable` when the value nests too deep.
    public mutating func set(_ value: SessionValue, for key: SessionKey) throws(SessionError) {
        replace(try Change(setting: value, for: key))
    }

    /// Removes `key`, if it is there.
    public mutating func remove(_ key: SessionKey) {
        replace(Change(removing: key))
    }

    mutating func replace(_ change: Change) {
        if let position = change.withHead({ position(of: $0) }) {
            changes[position] = change
            return
        }
        changes.append(change)
        index()
    }

    mutating func removeAll() {
        changes.removeAll()
        positions.removeAll()
    }

    mutating func drop(_ key: SessionKey) {
        guard !changes.isEmpty else { return }
        let probe = Change(removing: key)
        guard let position = probe.withHead({ position(of: $0) }) else { return }
        changes.remove(at: position)
        positions.removeAll()
        index()
    }

    func contains(_ key: SessionKey) -> Bool {
        guard !changes.isEmpty else { return false }
        let probe = Change(removing: key)
        return probe.withHead { changes($0) }
    }

    /// True when the entry with this head is changed.
    @inline(__always)
    func changes(_ head: UnsafeRawBufferPointer) -> Bool {
        position(of: head) != nil
    }

    @inline(__always)
    private func position(of head: UnsafeRawBufferPointer) -> Int? {
        if changes.count > Self.indexThreshold {
            guard let position = positions[Self.hash(head)] else { return nil }
            if changes[position].hasHead(head) { return position }
        }
        for position in changes.indices where changes[position].hasHead(head) {
            return position
        }
        return nil
    }

    /// Brings `positions` up to date, when changes were added.
    private mutating func index() {
        guard changes.count > Self.indexThreshold else { return }
        for position in (positions.isEmpty ? 0 : changes.count - 1)..<changes.count {
            let hash = changes[position].withHead(Self.hash)
            if positions[hash] == nil { positions[hash] = position }
        }
    }

    private static func hash(_ head: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: head)
        return hasher.finalize()
    }
}

extension SessionPatch.Change {
    init(setting value: SessionValue, for key: SessionKey) throws(SessionError) {
        var entry: [UInt8] = []
        entry.reserveCapacity(key.name.count + 24)
        Self.appendHead(of: key, to: &entry)
        headCount = entry.count
        // One byte for the length is enough for small values; a longer one moves the value up.
        entry.append(0)
        let start = entry.count
        try ValueWriter.append(value, to: &entry)
        let count = entry.count - start
        if count < 0x80 {
            entry[start - 1] = UInt8(count)
        } else {
            var length: [UInt8] = []
            ValueWriter.append(varint: UInt64(count), to: &length)
            entry.replaceSubrange((start - 1)..<start, with: length)
        }
        self.entry = entry
    }

    init(removing key: SessionKey) {
        var entry: [UInt8] = []
        entry.reserveCapacity(key.name.count + 3)
        Self.appendHead(of: key, to: &entry)
        headCount = entry.count
        self.entry = entry
    }

    static func appendHead(of key: SessionKey, to entry: inout [UInt8]) {
        key.name.withUnsafeBytes { name in
            ValueWriter.append(varint: UInt64(name.count) << 1 | (key.isReserved ? 1 : 0), to: &entry)
            entry.append(contentsOf: name)
        }
    }

    /// Calls `body` with the bytes that identify the key.
    func withHead<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        entry.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<headCount])) }
    }

    @inline(__always)
    func hasHead(_ head: UnsafeRawBufferPointer) -> Bool {
        guard headCount == head.count else { return false }
        return entry.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[..<headCount]).isSame(as: head) }
    }
}
