internal import GalletaPlatform
internal import Glibc
public import Logging
internal import PHPSerialization
public import Sessions

/// PHP's own sessions, in PHP's own files: a page of PHP and a handler in Swift have one visitor.
///
/// ```swift
/// PHPProvider.register()
/// let sessions = try SessionManager(provider: "php", cookieName: "PHPSESSID", maxLifetime: .seconds(1440))
/// ```
///
/// Each call takes PHP's own lock for as long as it reads or writes, and no longer: a handler holds up no page. A commit reads
/// the session again under the lock and changes the keys that the handler has changed; all else stays as PHP wrote it, byte
/// for byte. `Session.update` runs on the session as it is then. While a page has the session, at most ``Configuration/waiters``
/// calls wait for it without a worker; others, and who waits for longer than ``Configuration/lockTimeout``, get a
/// `SessionStoreError`: 503 with Retry-After.
///
/// What PHP cannot keep is not there (``traits``): a grace for replaced ids, lists of a user's sessions, the difference of bytes
/// and text. A session ends at the latest when it was not used for PHP's `gc_maxlifetime`.
///
/// The process must run as the user that PHP runs as. Threading: any thread.
public final class PHPProvider: AsyncSessionProvider {
    /// What PHP's sessions are like.
    public struct Configuration: Sendable {
        /// PHP's `session.save_path`: `[depth;[mode;]]folder`. Default: Debian's.
        public var savePath = "/var/lib/php/sessions"
        /// PHP's `session.serialize_handler`: `php`, `php_binary` or `php_serialize`. Default: `php`.
        public var serializeHandler = "php"
        /// PHP's `session.gc_maxlifetime`: how long a session lives unused. Default: 1440 s.
        public var idleTimeout = Duration.seconds(1_440)
        /// The name in `$_SESSION` that holds the user, so that `session.user` and PHP's pages agree; nil: PHP does not see who
        /// has logged in here. Default: nil.
        public var userKey: ByteString?
        /// How long a call waits for a page that has the session. Default: 10 s, and 250 ms where it holds a worker.
        public var lockTimeout = Duration.seconds(10)
        /// How many calls wait at a time, each on a thread of its own. Default: 8.
        public var waiters = 8
        /// How many of them wait for one session. Default: 2.
        public var waitersPerSession = 2
        /// How long a call waits that holds a worker.
        var shortTimeout = Duration.milliseconds(250)
        /// What the session's cookie is to be like, where the application says nothing: as PHP's settings have it.
        var cookie = SessionDefaults()
        /// Where damaged sessions are told of.
        public var logger = Logger(label: "galleta.sessions.php")

        /// Debian's.
        public init() {}
    }

    private let store: any PHPSessionStore
    private let codec: PHPSessionValues
    private let configuration: Configuration
    private let waiting: LockWaiters
    private let throttle = LogThrottle()

    /// What PHP's sessions can keep.
    public let traits: SessionProviderTraits

    /// PHP's ids: 32 characters of 160 random bits. Cookies are percent-decoded, as PHP does.
    public let idFormat: SessionIDFormat = {
        var format = SessionIDFormat(parse: PHPProvider.id(inCookie:), draw: PHPProvider.drawID)
        format.takesFirstCookieOnly = true
        return format
    }()

    /// Looks whether the folder can be used, and leaves it as it is.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    public convenience init(configuration: Configuration = Configuration()) throws {
        var files = FileStore.Configuration(savePath: configuration.savePath)
        files.maxWaiters = configuration.waitersPerSession
        let store = try FileStore(files)
        try store.checkFolder()
        try self.init(store: store, configuration: configuration)
    }

    init(store: any PHPSessionStore, configuration: Configuration) throws(ConfigurationError) {
        let format: PHPFormat
        switch configuration.serializeHandler {
        case "php": format = .php
        case "php_binary": format = .phpBinary
        case "php_serialize": format = .phpSerialize
        case "igbinary", "msgpack", "wddx":
            throw ConfigurationError(
                field: "serializeHandler",
                reason: "sessions in \(configuration.serializeHandler) cannot be written here",
                remedy: "set session.serialize_handler = php in PHP's settings: its visitors log in once more")
        default:
            throw ConfigurationError(
                field: "serializeHandler", reason: "\"\(configuration.serializeHandler)\" is not known",
                remedy: "give PHP's session.serialize_handler: php, php_binary or php_serialize")
        }
        guard configuration.idleTimeout >= .seconds(1), configuration.idleTimeout <= .seconds(3_650 * 86_400) else {
            throw ConfigurationError(
                field: "idleTimeout", reason: "it is \(configuration.idleTimeout)",
                remedy: "give PHP's session.gc_maxlifetime, at least 1 s")
        }
        guard configuration.waitersPerSession >= 0 else {
            throw ConfigurationError(
                field: "waitersPerSession", reason: "below 0", remedy: "give 0 if nobody shall wait")
        }
        guard configuration.waiters >= 0 else {
            throw ConfigurationError(field: "waiters", reason: "below 0", remedy: "give 0 if nobody shall wait")
        }
        self.store = store
        self.configuration = configuration
        codec = PHPSessionValues(userName: configuration.userKey, format: format, limits: PHPLimits())
        waiting = LockWaiters(limit: configuration.waiters)
        var traits = SessionProviderTraits()
        traits.keepsKinds = false
        traits.keepsRotationGrace = false
        traits.remembersRotatedIDs = false
        traits.hasExactDeadlines = false
        traits.limits = SessionLimits(bytes: 2 << 20, keys: 65_536)
        traits.defaults = configuration.cookie
        traits.defaults.cookieName = configuration.cookie.cookieName ?? "PHPSESSID"
        traits.defaults.isPersistent = configuration.cookie.isPersistent ?? false
        traits.defaults.idleTimeout = configuration.idleTimeout
        traits.defaults.absoluteTimeout = .seconds(3_650 * 86_400)
        // PHP notes each visit.
        traits.defaults.touchInterval = min(.seconds(60), configuration.idleTimeout / 4)
        self.traits = traits
    }

    // MARK: Ids

    static func id(inCookie value: UnsafeRawBufferPointer) -> SessionID? {
        guard value.contains(UInt8(ascii: "%")) else { return SessionID(foreign: value) }
        var text: [UInt8] = []
        var index = value.startIndex
        while index < value.endIndex {
            if value[index] == UInt8(ascii: "%"), index + 2 < value.endIndex,
                let byte = UInt8(String(decoding: value[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                text.append(byte)
                index += 3
            } else {
                text.append(value[index])
                index += 1
            }
        }
        return SessionID(foreign: text)
    }

    /// As PHP draws with `sid_bits_per_character = 5`.
    static func drawID() -> SessionID {
        let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)
        let random = SessionID.random().bytes
        return SessionID(foreign: random.map { alphabet[Int($0 & 31)] })!
    }

    private static func phpID(_ id: SessionID) -> PHPSessionID? {
        id.isForeign ? PHPSessionID(ByteString(bytes: id.bytes)) : nil
    }

    // MARK: Look-up

    /// What an id leads to. Waits for a page of PHP that has the session, for 250 ms at most.
    public func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try failing { try find(session.id, until: short) }
    }

    private func find(_ id: SessionID, until deadline: BootInstant) throws -> SessionFinding {
        guard let php = Self.phpID(id), let content = try store.read(php, until: deadline) else { return .none }
        guard let record = record(content.bytes, idle: content.idle) else { return .none }
        return .found(record)
    }

    /// Nil for a session that is over, or damaged: PHP would end it.
    private func record(_ bytes: [UInt8], idle: Duration) -> SessionRecord? {
        do {
            let (values, times) = try codec.values(codec.document(bytes))
            // PHP's own ends it in any case.
            let idleTimeout = min(configuration.idleTimeout, times.map { .milliseconds($0.idle) } ?? .seconds(1 << 40))
            let age = max(idle, times.map { .milliseconds(Self.now.subtractingSaturated($0.began)) } ?? idle)
            let absolute = times.map { .milliseconds($0.absolute) } ?? traits.defaults.absoluteTimeout!
            guard idle < idleTimeout, age < absolute else { return nil }
            return SessionRecord(
                values: values, version: Self.version(values), age: age, idle: idle,
                idleRemaining: idleTimeout - idle, absoluteRemaining: absolute - age)
        } catch {
            if let suppressed = throttle.pass("damaged") {
                configuration.logger.error(
                    "a session of PHP cannot be read and counts as none: \(error)",
                    metadata: suppressed > 0 ? ["suppressed": "\(suppressed)"] : nil)
            }
            return nil
        }
    }

    private static var now: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// FNV-1a: changes with the values.
    private static func version(_ values: SessionValues) -> UInt64 {
        values.withEncodedBytes { $0.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
    }

    // MARK: Changes

    /// Begins a session, as PHP's next page finds it.
    public func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        try failing { try create(id, draft, until: short) }
    }

    private func create(_ id: SessionID, _ draft: SessionDraft, until deadline: BootInstant) throws -> SessionCreation {
        guard let php = Self.phpID(id) else { throw SessionStoreError(.unavailable, "an id that is none of PHP's") }
        var document = PHPDocument(format: codec.format, limits: codec.limits)
        try codec.apply(draft.values.pairs, to: &document)
        try codec.note(
            PHPSessionValues.Times(
                began: Self.now, idle: draft.idleTimeout.milliseconds, absolute: draft.absoluteTimeout.milliseconds),
            in: &document)
        let bytes = try document.encoded()
        if let record = try store.create(php, until: deadline) {
            return try record.write(bytes, lastUsed: nil) ? .created() : .exists
        }
        // One that is over is not in the way.
        guard let old = try store.open(php, until: deadline) else { return .exists }
        defer { old.release() }
        guard record(old.bytes, idle: old.lastUse.idle) == nil, (try? codec.document(old.bytes)) != nil else {
            return .exists
        }
        return try old.write(bytes, lastUsed: nil) ? .created() : .exists
    }

    /// Makes the patch's changes on the session as it is now, under PHP's lock.
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try failing { try commit(patch, to: session.id, expecting: version, until: short) }
    }

    private func commit(
        _ patch: SessionPatch, to id: SessionID, expecting version: UInt64?, until deadline: BootInstant
    ) throws -> SessionCommitOutcome {
        // An empty patch looks whether the session is there, and waits for nobody.
        guard let php = Self.phpID(id), let record = try store.open(php, until: deadline) else { return .gone }
        defer { record.release() }
        guard let before = self.record(record.bytes, idle: record.lastUse.idle) else { return .gone }
        if let version, version != before.version { return .conflict(before) }
        guard !patch.isEmpty || patch.lifetime != nil else {
            if patch.touches, try !record.touch() { return .gone }
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
        var document = try codec.document(record.bytes)
        try codec.apply(patch.changes.map { ($0.key, $0.value) }, to: &document)
        if let lifetime = patch.lifetime {
            try codec.note(
                PHPSessionValues.Times(
                    began: Self.now.subtractingSaturated(before.age.milliseconds),
                    idle: lifetime.idleTimeout.milliseconds,
                    absolute: lifetime.absoluteTimeout.milliseconds), in: &document)
        }
        let bytes = try document.encoded()
        // By the new lifetime it may be over.
        guard patch.lifetime == nil || self.record(bytes, idle: patch.touches ? .zero : record.lastUse.idle) != nil
        else {
            _ = try record.remove()
            return .gone
        }
        guard try record.write(bytes, lastUsed: patch.touches ? nil : record.lastUse) else { return .gone }
        return .committed(version: Self.version(values), values: values)
    }

    /// Sets "last used" to now.
    public func touch(_ session: SessionHandle) throws -> SessionTouch {
        try failing { try touch(session.id, until: short) }
    }

    private func touch(_ id: SessionID, until deadline: BootInstant) throws -> SessionTouch {
        guard let php = Self.phpID(id), let record = try store.open(php, until: deadline) else { return .gone }
        defer { record.release() }
        guard let found = self.record(record.bytes, idle: record.lastUse.idle), try record.touch() else { return .gone }
        return .touched(remaining: min(found.idleRemaining + found.idle, found.absoluteRemaining))
    }

    /// Removes the session: to PHP, too, the visitor is nobody.
    public func destroy(_ session: SessionHandle) throws -> Bool {
        try failing {
            guard let php = Self.phpID(session.id), let record = try store.open(php, until: short) else { return false }
            let wasThere = self.record(record.bytes, idle: record.lastUse.idle) != nil
            return try record.remove() && wasThere
        }
    }

    /// Gives the session a new id, as `session_regenerate_id(true)` does: the old one is gone at once.
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try failing {
            guard let old = Self.phpID(session.id), let fresh = Self.phpID(new),
                let record = try store.open(old, until: short)
            else { return .gone }
            defer { record.release() }
            guard self.record(record.bytes, idle: record.lastUse.idle) != nil else { return .gone }
            guard let target = try store.create(fresh, until: short) else { return .taken }
            // First the new one: a crash in between leaves two, never none.
            guard try target.write(record.bytes, lastUsed: record.lastUse) else { return .gone }
            guard try record.remove() else {
                // Logged out meanwhile, by a page that did not wait for the lock.
                _ = try store.open(fresh, until: short)?.remove()
                return .gone
            }
            return .rotated
        }
    }

    /// Ends what waits for locks. Files need no closing.
    public func close() {
        waiting.close()
    }

    // MARK: Waiting

    private var short: BootInstant { .now.advanced(by: min(configuration.lockTimeout, configuration.shortTimeout)) }

    private func failing<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as PHPSessionStoreError {
            throw Self.failure(error)
        } catch let error as PHPSerializationError {
            throw SessionStoreError(.unavailable, "a session of PHP cannot be changed", underlying: error)
        }
    }

    private static func failure(_ error: PHPSessionStoreError) -> SessionStoreError {
        let isBusy = error.code == .busy
        return SessionStoreError(
            .unavailable, isBusy ? "a page of PHP has the session" : "PHP's sessions cannot be used", underlying: error,
            retryAfter: .seconds(isBusy ? 1 : 5))
    }

    /// At once where nobody has the session; else on a thread that waits, and not on the caller's.
    private func awaiting<Result: Sendable>(
        _ body: @escaping @Sendable (BootInstant) throws -> Result
    ) async throws -> Result {
        do {
            return try failing { try body(.now) }
        } catch let error as SessionStoreError {
            guard (error.underlying as? PHPSessionStoreError)?.code == .busy else { throw error }
        }
        let deadline = BootInstant.now.advanced(by: configuration.lockTimeout)
        do {
            return try await waiting.run { [self] in try failing { try body(deadline) } }
        } catch let error as PHPSessionStoreError {
            throw Self.failure(error)
        }
    }

    /// Always: any session may be a page's for as long as that runs.
    public var isBusy: Bool { true }

    /// As `lookUp(_:)`; waits for a page without a thread of the caller's.
    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        var findings: [SessionFinding] = []
        for index in 0..<candidates.count {
            let id = candidates[index]
            findings.append(try await awaiting { [self] in try find(id, until: $0) })
        }
        return findings
    }

    /// As ``create(_:_:)``.
    public func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation {
        try await awaiting { [self] in try create(id, draft, until: $0) }
    }

    /// As ``commit(_:to:expecting:)``; waits for a page without a thread of the caller's.
    public func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome {
        let id = session.id
        return try await awaiting { [self] in try commit(patch, to: id, expecting: version, until: $0) }
    }

    /// As ``touch(_:)``; waits for a page without a thread of the caller's.
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch {
        let id = session.id
        return try await awaiting { [self] in try touch(id, until: $0) }
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
