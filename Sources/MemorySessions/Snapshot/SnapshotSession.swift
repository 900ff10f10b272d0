internal import GalletaPlatform
internal import Sessions

/// A session as a snapshot has it.
struct SnapshotSession {
    /// The SHA-256 of its id.
    var digest: MemoryKey
    // Nanoseconds of the provider's clock.
    var created: Int64
    var lastSeen: Int64
    var idleTimeout: Int64
    var absoluteDeadline: Int64
    /// The number behind a user's reference to it; 0: none.
    var serial: UInt64
    var version: UInt32
    var values: SessionValues

    static let fixedCount = 80

    init(_ slot: MemorySlot, digest: MemoryKey, serial: UInt64) {
        self.digest = digest
        created = slot.created
        lastSeen = slot.lastSeen
        idleTimeout = slot.idleTimeout
        absoluteDeadline = slot.absoluteDeadline
        self.serial = serial
        version = slot.version
        values = slot.values
    }

    /// The session of a payload; nil when it makes no sense.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = SnapshotBytes(bytes)
        digest = reader.id()
        (created, lastSeen, idleTimeout, absoluteDeadline) = (
            reader.next(), reader.next(), reader.next(), reader.next()
        )
        serial = reader.next()
        version = reader.next()
        _ = reader.next(UInt32.self)
        guard !reader.isShort, (-SnapshotTime.limit..<SnapshotTime.limit).contains(created), lastSeen >= created,
            lastSeen < SnapshotTime.limit, idleTimeout > 0, absoluteDeadline > created,
            let values = try? SessionValues(encoded: reader.rest)
        else { return nil }
        self.values = values
    }

    func append(to output: inout [UInt8]) {
        output.append(digest)
        output.append(littleEndian: created)
        output.append(littleEndian: lastSeen)
        output.append(littleEndian: idleTimeout)
        output.append(littleEndian: absoluteDeadline)
        output.append(littleEndian: serial)
        output.append(littleEndian: version)
        output.append(littleEndian: UInt32(0))
        values.withEncodedBytes { output.append(contentsOf: $0) }
    }

    /// The session's place in a store, under `id`, its times moved by `shift` and not beyond `now`.
    func slot(id: MemoryKey, shift: Int64, at now: Int64) -> MemorySlot {
        MemorySlot(
            id: id, values: values, created: min(now, created.addingSaturated(shift)),
            lastSeen: min(now, lastSeen.addingSaturated(shift)), idleTimeout: idleTimeout,
            absoluteDeadline: absoluteDeadline == .max ? .max : absoluteDeadline.addingSaturated(shift),
            version: version, kind: values.user == nil ? .anonymous : .user, isSeen: true, isDigest: true)
    }
}

extension [UInt8] {
    mutating func append(_ id: MemoryKey) {
        append(littleEndian: id.word0)
        append(littleEndian: id.word1)
        append(littleEndian: id.word2)
        append(littleEndian: id.word3)
    }
}
