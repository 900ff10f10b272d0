internal import GalletaPlatform
internal import Logging
internal import PHPSerialization
internal import Sessions

/// What is done to sessions of PHP, each in one hold of PHP's lock, and waiting for it no longer than until a deadline.
///
/// Threading: any thread. Throws `PHPSessionStoreError`, and `PHPSerializationError` for what cannot be written.
struct PHPOperations: Sendable {
    /// What the bytes of a session are now.
    private enum Look {
        case live(SessionRecord, PHPDocument)
        case over
        /// PHP would end it.
        case damaged
    }

    private let store: any PHPSessionStore
    private let codec: PHPSessionValues
    private let clock: WallClock
    /// PHP's own ends each session in any case.
    private let idleTimeout: Duration
    private let absoluteTimeout: Duration
    private let logger: Logger
    private let throttle = LogThrottle()

    init(store: any PHPSessionStore, codec: PHPSessionValues, configuration: PHPProvider.Configuration) {
        self.store = store
        self.codec = codec
        clock = configuration.clock
        idleTimeout = configuration.idleTimeout
        absoluteTimeout = configuration.traits.defaults.absoluteTimeout!
        logger = configuration.logger
    }

    // MARK: Operations

    func find(_ session: SessionHandle, until deadline: BootInstant) throws -> SessionFinding {
        if let record = session.heldRecord {
            guard case .live(let found, _) = look(record) else { return .none }
            return .found(found)
        }
        guard let php = PHPSessionID(session.id), let content = try store.read(php, until: deadline),
            case .live(let found, _) = look(content.bytes, lastUse: content.lastUse)
        else { return .none }
        return .found(found)
    }

    /// As ``find(_:until:)``; the session stays locked as long as the lease that comes with it.
    func findAndHold(_ id: SessionID, until deadline: BootInstant) throws -> SessionFinding {
        guard let php = PHPSessionID(id), let record = try store.open(php, until: deadline) else { return .none }
        guard case .live(var found, _) = look(record) else {
            record.release()
            return .none
        }
        found.lease = PHPLease(record, of: id)
        return .found(found)
    }

    func create(_ id: SessionID, _ draft: SessionDraft, until deadline: BootInstant) throws -> SessionCreation {
        guard let php = PHPSessionID(id) else { throw SessionStoreError(.unavailable, "an id that is none of PHP's") }
        var document = PHPDocument(format: codec.format, limits: codec.limits)
        try codec.apply(draft.values.pairs, to: &document)
        try codec.note(
            PHPSessionValues.Times(
                began: now, idle: draft.idleTimeout.milliseconds, absolute: draft.absoluteTimeout.milliseconds),
            in: &document)
        let bytes = try document.encoded()
        if let record = try store.create(php, until: deadline) {
            return try record.write(bytes, lastUse: nil) ? .created() : .exists
        }
        // One that is over is not in the way.
        guard let old = try store.open(php, until: deadline) else { return .exists }
        defer { old.release() }
        guard case .over = look(old) else { return .exists }
        return try old.write(bytes, lastUse: nil) ? .created() : .exists
    }

    /// An empty patch looks whether the session is there.
    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?, until deadline: BootInstant
    ) throws -> SessionCommitOutcome {
        guard let (record, keepsLock) = try open(session, until: deadline) else { return .gone }
        defer { if !keepsLock { record.release() } }
        guard case .live(let before, var document) = look(record) else { return .gone }
        if let version, version != before.version { return .conflict(before) }
        guard !patch.isEmpty || patch.lifetime != nil else {
            if patch.touches, try !record.touch(keepsLock: keepsLock) { return .gone }
            return .committed(version: before.version, values: before.values)
        }
        let values: SessionValues
        do throws(SessionError) {
            values = try before.values.applying(patch, limits: patch.limits)
        } catch {
            return .overLimit(error)
        }
        guard !values.isEmpty else {
            return try record.remove() ? .emptied : .gone
        }
        try codec.apply(patch.changes.map { ($0.key, $0.value) }, to: &document)
        if let lifetime = patch.lifetime {
            let times = PHPSessionValues.Times(
                began: now.subtractingSaturated(before.age.milliseconds),
                idle: lifetime.idleTimeout.milliseconds,
                absolute: lifetime.absoluteTimeout.milliseconds)
            guard self.session(values, times, idle: patch.touches ? .zero : before.idle) != nil else {
                _ = try record.remove()
                return .gone
            }
            try codec.note(times, in: &document)
        }
        let lastUse = patch.touches ? nil : record.lastUse
        guard try record.write(document.encoded(), lastUse: lastUse, keepsLock: keepsLock) else { return .gone }
        return .committed(version: Self.version(values), values: values)
    }

    func touch(_ session: SessionHandle, until deadline: BootInstant) throws -> SessionTouch {
        guard let (record, keepsLock) = try open(session, until: deadline) else { return .gone }
        defer { if !keepsLock { record.release() } }
        guard case .live(let session, _) = look(record), try record.touch(keepsLock: keepsLock) else { return .gone }
        return .touched(remaining: min(session.idleRemaining + session.idle, session.absoluteRemaining))
    }

    func destroy(_ session: SessionHandle, until deadline: BootInstant) throws -> Bool {
        guard let (record, _) = try open(session, until: deadline) else { return false }
        let isLive = if case .live = look(record) { true } else { false }
        return try record.remove() && isLive
    }

    /// A lock that is held goes with the old id.
    func rotate(_ session: SessionHandle, to new: SessionID, until deadline: BootInstant) throws -> SessionRotation {
        guard let fresh = PHPSessionID(new), let (record, _) = try open(session, until: deadline) else { return .gone }
        defer { record.release() }
        guard case .live = look(record) else { return .gone }
        switch try record.rename(to: fresh) {
        case .renamed: return .rotated
        case .gone: return .gone
        case .taken: return .taken
        case .unsupported: break
        }
        guard let target = try store.create(fresh, until: deadline) else { return .taken }
        // First the new one: a crash in between leaves two, never none.
        guard try target.write(record.bytes, lastUse: record.lastUse) else { return .gone }
        guard try record.remove() else {
            // Logged out meanwhile, by a page that did not wait for the lock.
            _ = try store.open(fresh, until: deadline)?.remove()
            return .gone
        }
        return .rotated
    }

    /// The session, locked for this call, or by the request that calls.
    private func open(
        _ session: SessionHandle, until deadline: BootInstant
    ) throws -> (record: any PHPSessionRecord, keepsLock: Bool)? {
        if let record = session.heldRecord { return (record, true) }
        guard let php = PHPSessionID(session.id), let record = try store.open(php, until: deadline) else { return nil }
        return (record, false)
    }

    // MARK: Looking

    private func look(_ record: any PHPSessionRecord) -> Look { look(record.bytes, lastUse: record.lastUse) }

    /// The session of these bytes, for a list; nil for one that is over.
    func record(_ content: PHPSessionContent) -> SessionRecord? {
        guard case .live(let record, _) = look(content.bytes, lastUse: content.lastUse) else { return nil }
        return record
    }

    private func look(_ bytes: [UInt8], lastUse: Duration) -> Look {
        do {
            let document = try codec.document(bytes)
            let (values, times) = try codec.values(document)
            guard let session = session(values, times, idle: clock.idle(since: lastUse)) else { return .over }
            return .live(session, document)
        } catch {
            if let suppressed = throttle.pass("damaged") {
                logger.error(
                    "a session of PHP cannot be read and counts as none: \(error)",
                    metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
            }
            return .damaged
        }
    }

    /// Nil for a session that is over.
    private func session(
        _ values: SessionValues, _ times: PHPSessionValues.Times?, idle: Duration
    ) -> SessionRecord? {
        let idleTimeout = min(idleTimeout, times.map { .milliseconds($0.idle) } ?? idleTimeout)
        let absolute = times.map { .milliseconds($0.absolute) } ?? absoluteTimeout
        let age = max(idle, times.map { .milliseconds(now.subtractingSaturated($0.began)) } ?? idle)
        guard idle < idleTimeout, age < absolute else { return nil }
        return SessionRecord(
            values: values, version: Self.version(values), age: age, idle: idle, idleRemaining: idleTimeout - idle,
            absoluteRemaining: absolute - age)
    }

    /// Milliseconds since 1970.
    private var now: Int64 { clock.now.milliseconds }

    /// FNV-1a: changes with the values.
    private static func version(_ values: SessionValues) -> UInt64 {
        values.withEncodedBytes { $0.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
    }
}

extension SessionValues {
    /// Keys and values.
    fileprivate var pairs: [(SessionKey, SessionValue?)] {
        var pairs: [(SessionKey, SessionValue?)] = []
        forEachEncoded { key, value in pairs.append((key, SessionValue(encoded: value))) }
        return pairs
    }
}
