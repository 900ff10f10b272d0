internal import GalletaPlatform
internal import PHPSerialization
public import Sessions

/// PHP's own sessions, in PHP's own files or in Redis, as its own handlers keep them: a page of PHP and a handler in Swift have one visitor.
/// In this process's memory they are a ``PHPMemoryProvider``'s.
///
/// ```swift
/// PHPProvider.register()
/// let sessions = try SessionManager(provider: "php", cookieName: "PHPSESSID", maxLifetime: .seconds(1440))
/// ```
///
/// A request that may change something, by its method, has PHP's own lock until its answer begins, as a page of PHP has it
/// (``Locking``). Any other takes it for as long as it reads or writes, and no longer: it holds up no page. A commit reads the
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
    }

    // MARK: On the caller's thread

    /// What an id leads to. Waits for a page of PHP that has the session, for 250 ms at most.
    public func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try failing { try operations.find(session, until: short) }
    }

    /// What the ids of a request lead to, with the lock where `locking` says so.
    public func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        let holds = holds(candidates)
        return try (0..<candidates.count).map { index in
            let id = candidates[index]
            return try failing {
                try holds ? operations.findAndHold(id, until: short) : operations.find(SessionHandle(id), until: short)
            }
        }
    }

    /// Two sessions of one request could wait for each other's.
    private func holds(_ candidates: SessionIDCandidates) -> Bool {
        locking == .wholeRequest && candidates.mayChangeSession && candidates.count == 1
    }

    /// Begins a session, as PHP's next page finds it.
    public func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        try failing { try operations.create(id, draft, until: short) }
    }

    /// Makes the patch's changes on the session as it is now, under PHP's lock.
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try failing { try operations.commit(patch, to: session, expecting: version, until: short) }
    }

    /// Sets "last used" to now.
    public func touch(_ session: SessionHandle) throws -> SessionTouch {
        try failing { try operations.touch(session, until: short) }
    }

    /// Removes the session: to PHP, too, the visitor is nobody.
    public func destroy(_ session: SessionHandle) throws -> Bool {
        try failing { try operations.destroy(session, until: short) }
    }

    /// Gives the session a new id, as `session_regenerate_id(true)` does: the old one is gone at once.
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try failing { try operations.rotate(session, to: new, until: short) }
    }

    private var short: BootInstant { .now.advanced(by: min(lockTimeout, shortTimeout)) }

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
        let isBusy = error.code == .busy
        return SessionStoreError(
            .unavailable, isBusy ? "a page of PHP has the session" : "PHP's sessions cannot be used", underlying: error,
            retryAfter: .seconds(isBusy ? 1 : 5))
    }

    // MARK: Waiting on a thread of its own

    /// Always: any session may be a page's for as long as that runs.
    public var isBusy: Bool { true }

    /// As `lookUp(_:)`; waits for a page without a thread of the caller's.
    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        let holds = holds(candidates)
        var findings: [SessionFinding] = []
        for index in 0..<candidates.count {
            let id = candidates[index]
            findings.append(
                try await awaiting { [operations] in
                    try holds ? operations.findAndHold(id, until: $0) : operations.find(SessionHandle(id), until: $0)
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

    /// As ``touch(_:)``; waits for a page without a thread of the caller's.
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch {
        try await awaiting { [operations] in try operations.touch(session, until: $0) }
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
