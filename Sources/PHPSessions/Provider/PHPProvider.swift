internal import GalletaPlatform
internal import PHPSerialization
public import Sessions
internal import Synchronization

/// PHP's own sessions, in PHP's own files or in Redis, as its own handlers keep them: a page of PHP and a handler in Swift have one visitor.
/// In this process's memory they are a ``PHPMemoryProvider``'s.
///
/// ```swift
/// PHPProvider.register()
/// let sessions = try SessionManager(provider: "php", cookieName: "PHPSESSID", maxLifetime: .seconds(1440))
/// ```
///
/// A request that may change something, by its method, has PHP's own lock until its answer begins or it is cut, as a page of PHP has
/// it (``Locking``). Any other takes it for as long as it reads or writes, and no longer: it holds up no page. A commit reads the
/// session again under the lock and changes the keys that the handler has changed; all else stays as PHP wrote it, byte for byte.
/// `Session.update` runs on the session as it is then. While a page has the session, at most ``Configuration/waiters``
/// calls wait for it without a worker; others, and who waits for longer than ``Configuration/lockTimeout``, get a
/// `SessionStoreError`: 503 with Retry-After.
///
/// What PHP cannot keep is not there (``traits``): a grace for replaced ids, lists of a user's sessions, the difference of bytes
/// and text. A session ends at the latest when it was not used for PHP's `gc_maxlifetime`.
///
/// The process must run as the user that PHP runs as. Threading: any thread.
public final class PHPProvider: AsyncSessionProvider {
    private let store: any PHPSessionStore
    let operations: PHPOperations
    private let locking: Locking
    private let lockTimeout: Duration
    private let shortTimeout: Duration
    private let waiting: LockWaiters
    private let callerLimit: Int
    private let callersWaiting = Atomic<Int>(0)

    /// What PHP's sessions can keep.
    public let traits: SessionProviderTraits

    /// PHP's ids: 32 characters of 160 random bits. Cookies are percent-decoded, as PHP does.
    public let idFormat = SessionIDFormat.php

    /// Looks whether the folder can be used, or asks Redis, and leaves both as they are.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    public convenience init(configuration: Configuration = Configuration()) throws {
        try self.init(store: configuration.checkedStore(), configuration: configuration)
    }

    init(
        store: any PHPSessionStore, configuration: Configuration
    ) throws(ConfigurationError) {
        let format = try configuration.checkedFormat()
        if let name = configuration.userKey, name == PHPSessionValues.reservedName || !format.canName(name) {
            throw ConfigurationError(
                field: "userKey", reason: "\(name) cannot be a name in $_SESSION, or is ours",
                remedy: "give the name under which PHP's pages keep the user")
        }
        traits = configuration.traits
        operations = PHPOperations(
            store: store,
            codec: PHPSessionValues(userName: configuration.userKey, format: format, limits: PHPLimits()),
            configuration: configuration)
        locking = configuration.locking
        lockTimeout = configuration.lockTimeout
        shortTimeout = configuration.shortTimeout
        self.store = store
        waiting = LockWaiters(limit: configuration.waiters)
        callerLimit = configuration.waitingCallers
    }

    // MARK: On the caller's thread

    /// What an id leads to. Waits for a page of PHP that has the session, for 250 ms at most.
    public func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try onCaller { try operations.find(session, until: $0) }
    }

    /// What the ids of a request lead to, with the lock where `locking` says so.
    public func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        let (holds, end) = (holds(candidates), candidates.end)
        return try (0..<candidates.count).map { index in
            let id = candidates[index]
            return try onCaller(mayWait: candidates.mayWait) {
                try holds
                    ? operations.findAndHold(id, for: end, until: $0)
                    : operations.find(SessionHandle(id), until: $0)
            }
        }
    }

    /// Two sessions of one request could wait for each other's.
    private func holds(_ candidates: SessionIDCandidates) -> Bool {
        locking == .wholeRequest && candidates.mayChangeSession && candidates.count == 1
    }

    /// Begins a session, as PHP's next page finds it.
    public func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        try onCaller { try operations.create(id, draft, until: $0) }
    }

    /// Makes the patch's changes on the session as it is now, under PHP's lock.
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try onCaller { try operations.commit(patch, to: session, expecting: version, until: $0) }
    }

    /// Sets "last used" to now; while others have the session they do so.
    public func touch(_ session: SessionHandle) throws -> SessionTouch {
        do {
            return try failing { try operations.touch(session, until: .now) }
        } catch let error as SessionStoreError where error.reason == .busy {
            return .touched(remaining: traits.defaults.idleTimeout!)
        }
    }

    /// Removes the session: to PHP, too, the visitor is nobody.
    public func destroy(_ session: SessionHandle) throws -> Bool {
        try onCaller { try operations.destroy(session, until: $0) }
    }

    /// Gives the session a new id, as `session_regenerate_id(true)` does: the old one is gone at once.
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try onCaller { try operations.rotate(session, to: new, until: $0) }
    }

    /// The calls that wait on their callers' threads now.
    var callersWaitingCount: Int { callersWaiting.load(ordering: .relaxed) }

    /// Waits on the caller's thread, a worker as a rule, for a short time, and only as many at once as may: others' requests want
    /// workers, too.
    private func onCaller<Result>(mayWait: Bool = true, _ body: (BootInstant) throws -> Result) throws -> Result {
        do {
            return try failing { try body(.now) }
        } catch let error as SessionStoreError where error.reason == .busy {
            guard mayWait else { throw error }
            let count = callersWaiting.wrappingAdd(1, ordering: .relaxed).newValue
            defer { callersWaiting.wrappingSubtract(1, ordering: .relaxed) }
            // The others may have met no page, but a request like themselves, which is done in no time.
            let patience = min(lockTimeout, count <= callerLimit ? shortTimeout : .milliseconds(2))
            let deadline = BootInstant.now.advanced(by: patience)
            return try failing { try body(deadline) }
        }
    }

    private func failing<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            for _ in 0..<8 {
                do {
                    return try body()
                } catch let error as PHPSessionStoreError where error.code == .changed {
                    // By a page without a lock, and nothing was written: the same on the session as it is now.
                }
            }
            return try body()
        } catch let error as PHPSessionStoreError {
            throw Self.failure(error)
        } catch let error as PHPSerializationError {
            throw SessionStoreError(.unavailable, "a session of PHP cannot be changed", underlying: error)
        }
    }

    private static func failure(_ error: PHPSessionStoreError) -> SessionStoreError {
        switch error.code {
        case .busy:
            SessionStoreError(.busy, "a page of PHP has the session", underlying: error, retryAfter: .seconds(1))
        case .unreadable:
            SessionStoreError(.unreadable, "a session of PHP cannot be read", underlying: error)
        default: SessionStoreError(.unavailable, "PHP's sessions cannot be used", underlying: error)
        }
    }

    // MARK: Waiting on a thread of its own

    /// Always: any session may be a page's for as long as that runs.
    public var isBusy: Bool { true }

    /// As `lookUp(_:)`; waits for a page without a thread of the caller's.
    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        let (holds, end) = (holds(candidates), candidates.end)
        var findings: [SessionFinding] = []
        for index in 0..<candidates.count {
            let id = candidates[index]
            findings.append(
                try await awaiting { [operations] in
                    try holds
                        ? operations.findAndHold(id, for: end, until: $0)
                        : operations.find(SessionHandle(id), until: $0)
                })
        }
        return findings
    }

    /// As ``create(_:_:)``.
    public func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation {
        try await awaiting { [operations] in try operations.create(id, draft, until: $0) }
    }

    /// As ``commit(_:to:expecting:)``; waits for a page without a thread of the caller's.
    public func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome {
        try await awaiting { [operations] in
            try operations.commit(patch, to: session, expecting: version, until: $0)
        }
    }

    /// As ``touch(_:)``, which waits for nobody.
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch { try touch(session) }

    /// At once where nobody has the session; else on a thread that waits, and not on the caller's.
    private func awaiting<Result: Sendable>(
        _ body: @escaping @Sendable (BootInstant) throws -> Result
    ) async throws -> Result {
        do {
            return try failing { try body(.now) }
        } catch let error as SessionStoreError {
            guard error.reason == .busy else { throw error }
        }
        let deadline = BootInstant.now.advanced(by: lockTimeout)
        do {
            return try await waiting.run { [self] in try failing { try body(deadline) } }
        } catch let error as PHPSessionStoreError {
            throw Self.failure(error)
        }
    }

    /// Ends what waits for locks, and the connections to Redis.
    public func close() {
        waiting.close()
        store.close()
    }
}
