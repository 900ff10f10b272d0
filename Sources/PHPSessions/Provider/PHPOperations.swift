internal import Dispatch
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
        let look =
            if let held = try session.phpLease?.withRecord(of: session.id, look) {
                held
            } else if let php = PHPSessionID(session.id), let content = try store.read(php, until: deadline) {
                try self.look(content.bytes, lastUse: content.lastUse)
            } else {
                Look.over
            }
        guard case .live(let found, _) = look else { return .none }
        return .found(found)
    }

    /// As ``find(_:until:)``; the session stays locked as long as the lease that comes with it.
    func findAndHold(_ id: SessionID, for end: RequestEnd?, until deadline: BootInstant) throws -> SessionFinding {
        guard let php = PHPSessionID(id), let record = try store.open(php, until: deadline) else { return .none }
        // Whatever is thrown or returned without it, it is let go of with the last who has it.
        let lease = PHPLease(record, of: id)
        guard case .live(var found, _) = try look(record) else { return .none }
        // A call that is under way has the session until it is done: nobody waits for that.
        end?.whenItComes { [weak lease] in
            guard let lease else { return }
            DispatchQueue.global(qos: .utility).async { lease.end() }
        }
        found.lease = lease
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
        guard case .over = try look(old) else { return .exists }
        return try old.write(bytes, lastUse: nil) ? .created() : .exists
    }

    /// An empty patch looks whether the session is there.
    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?, until deadline: BootInstant
    ) throws -> SessionCommitOutcome {
        try withSession(session, until: deadline) { record, keepsLock in
            try commit(patch, to: record, keepsLock: keepsLock, expecting: version)
        } ?? .gone
    }

    private func commit(
        _ patch: SessionPatch, to record: any PHPSessionRecord, keepsLock: Bool, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        guard case .live(let before, var document) = try look(record) else { return .gone }
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
        try withSession(session, until: deadline) { record, keepsLock in
            guard case .live(let session, _) = try look(record), try record.touch(keepsLock: keepsLock) else {
                return .gone
            }
            return .touched(remaining: min(session.idleRemaining + session.idle, session.absoluteRemaining))
        } ?? .gone
    }

    /// Also one that cannot be read: PHP may know who it is.
    func destroy(_ session: SessionHandle, until deadline: BootInstant) throws -> Bool {
        try withSession(session, until: deadline) { record, _ in
            let isOver = if case .over? = try? look(record) { true } else { false }
            return try record.remove() && !isOver
        } ?? false
    }

    /// A lock that is held goes with the old id.
    func rotate(_ session: SessionHandle, to new: SessionID, until deadline: BootInstant) throws -> SessionRotation {
        guard let fresh = PHPSessionID(new) else { return .gone }
        return try withSession(session, until: deadline) { record, _ in
            defer { record.release() }
            return try rotate(record, to: fresh, until: deadline)
        } ?? .gone
    }

    private func rotate(
        _ record: any PHPSessionRecord, to fresh: PHPSessionID, until deadline: BootInstant
    ) throws -> SessionRotation {
        guard case .live = try look(record) else { return .gone }
        switch try record.rename(to: fresh) {
        case .renamed: return .rotated
        case .gone: return .gone
        case .taken: return .taken
        case .unsupported: break
        }
        guard let target = try store.create(fresh, until: deadline) else { return .taken }
        // First the new one: a crash in between leaves two, never none.
        guard try target.write(record.bytes, lastUse: record.lastUse) else { return .gone }
        let isRemoved: Bool
        do {
            isRemoved = try record.remove()
        } catch {
            // Nobody knows that id, and the next attempt makes it anew.
            _ = try? store.open(fresh, until: deadline)?.remove()
            throw error
        }
        guard isRemoved else {
            // Logged out meanwhile, by a page that did not wait for the lock.
            _ = try store.open(fresh, until: deadline)?.remove()
            return .gone
        }
        return .rotated
    }

    /// Runs a call on the session, locked for this call, or by the request that calls (which keeps the lock then). Nil where there
    /// is none.
    private func withSession<Result>(
        _ session: SessionHandle, until deadline: BootInstant,
        _ body: (any PHPSessionRecord, _ keepsLock: Bool) throws -> Result
    ) throws -> Result? {
        if let result = try session.phpLease?.withRecord(of: session.id, { try body($0, true) }) { return result }
        guard let php = PHPSessionID(session.id), let record = try store.open(php, until: deadline) else { return nil }
        defer { record.release() }
        return try body(record, false)
    }

    // MARK: Looking

    private func look(_ record: any PHPSessionRecord) throws -> Look {
        try look(record.bytes, lastUse: record.lastUse)
    }

    /// The session of these bytes, for a list; nil for one that is over.
    func record(_ content: PHPSessionContent) -> SessionRecord? {
        guard case .live(let record, _)? = try? look(content.bytes, lastUse: content.lastUse) else { return nil }
        return record
    }

    /// - Throws: `unreadable` for what makes no sense here. It may to PHP, so it is not as if there were none: somebody may be
    ///   logged in by it.
    private func look(_ bytes: [UInt8], lastUse: Duration) throws -> Look {
        let (document, values, times): (PHPDocument, SessionValues, PHPSessionValues.Times?)
        do {
            document = try codec.document(bytes)
            (values, times) = try codec.values(document)
        } catch {
            if let suppressed = throttle.pass("unreadable") {
                logger.error(
                    """
                    a session of PHP cannot be read, its visitor gets 503: \(error); if it is so of all of them, \
                    session.serialize_handler is not \(codec.format)
                    """,
                    metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
            }
            throw PHPSessionStoreError(code: .unreadable, reason: "\(error)")
        }
        guard let session = session(values, times, idle: clock.idle(since: lastUse)) else { return .over }
        return .live(session, document)
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
