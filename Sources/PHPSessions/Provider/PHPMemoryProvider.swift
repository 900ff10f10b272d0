internal import Dispatch
internal import GalletaPlatform
internal import Logging
public import MemorySessions
public import Sessions

/// PHP's sessions in this process's memory. PHP's own redis handler (php-redis) has them by a unix socket, and there is no Redis:
///
///     session.save_handler = redis
///     session.save_path = "unix:///run/galleta/php.sock"
///     redis.session.locking_enabled = 1
///
/// Pages and handlers in Swift are to each other what they are with ``PHPProvider``, and have one fair queue for each session: a page
/// that asks for a session that others have gets its answer when it is its turn. Pages without locks lose no change under a name of
/// its own. Beyond what PHP's other stores have there are lists of a user's sessions, caps, and a state file, which carries the
/// sessions over a restart, with a journal, by which no crash undoes a log-in or a log-out.
///
/// For one process: a second one would know nothing of its sessions. Registered by `PHPProvider.register()`, as `php` with the
/// parameter `socket`. Threading: any thread.
public final class PHPMemoryProvider: AsyncSessionProvider, ListingProvider, PersistentProvider, StateJournalProvider {
    private let base: PHPProvider
    private let server: HandlerServer?
    private let keeper: StateKeeper?
    let store: MemoryStore
    let operations: PHPOperations

    /// Restores what the state file brings, and serves PHP from then on.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    public convenience init(configuration: Configuration) throws {
        var configuration = configuration
        if configuration.php.clock.other == nil { configuration.php.clock = .steady }
        let server = try configuration.serverConfiguration()
        let store = try MemoryStore(
            configuration.storeConfiguration(), journal: configuration.state?.makeJournal(of: .php))
        let keeper = try configuration.state.map {
            try $0.check()
            return try StateKeeper(
                of: store, file: $0, logger: configuration.php.logger,
                queue: DispatchQueue(label: "galleta.sessions.php.state", qos: .utility))
        }
        do {
            try self.init(
                store: store, configuration.php, server: HandlerServer(server, store: store), keeper: keeper)
            configuration.php.logger.notice(
                "PHP's sessions are in memory, its redis handler is served at unix:\(configuration.socket)")
            if let state = configuration.state, configuration.php.userKey == nil {
                configuration.php.logger.warning(
                    """
                    log-ins on PHP's pages are not known as such, as userKey is not set: a crash brings these sessions back as \
                    they were when \(state.path) was last written, at most \(state.interval) before; name the key by which \
                    PHP's pages know their user, and no crash undoes a log-in or a log-out
                    """)
            }
        } catch {
            keeper?.abandon()
            store.close()
            throw error
        }
    }

    init(
        store: MemoryStore, _ configuration: PHPProvider.Configuration, server: HandlerServer? = nil,
        keeper: StateKeeper? = nil
    ) throws(ConfigurationError) {
        self.store = store
        self.server = server
        self.keeper = keeper
        base = try PHPProvider(store: store, configuration: configuration)
        operations = base.operations
    }

    /// What PHP's sessions can keep, in one process.
    public var traits: SessionProviderTraits {
        var traits = base.traits
        traits.isLocalToProcess = true
        return traits
    }

    /// The journal beside the state file, if there is one.
    package var stateJournal: StateJournal? { store.stateJournal }

    /// A change of the key that holds the user is a log-in or a log-out, whoever makes it.
    package func journalEnd(of id: SessionID) -> UInt64? {
        guard stateJournal != nil, let digest = PHPSessionID(id).map(IDDigest.init) else { return nil }
        return store.state.withLock { $0.table.journalEnd(of: digest) }
    }

    /// PHP's ids, as ``PHPProvider/idFormat``.
    public var idFormat: SessionIDFormat { base.idFormat }

    /// Some of the live sessions. Never throws.
    public func sessions(from position: SessionListPosition?, limit: Int) -> SessionListPage {
        var page = SessionListPage()
        var place = Int(clamping: position?.rawValue ?? 0)
        let end = store.state.withLock { $0.table.slotCount }
        let now = store.now
        while place < end, page.sessions.count < max(1, limit) {
            let part = place..<min(end, place + 64)
            let found = store.state.withLock { $0.table.sessions(inSlots: part) }
            page.sessions += found.compactMap { $0.deadline > now ? operations.record(store.content($0)) : nil }
            place = part.upperBound
        }
        if place < end { page.next = SessionListPosition(rawValue: UInt64(place)) }
        return page
    }

    /// What the store counts, and how the state file is written.
    public func statistics() -> SessionStoreStatistics {
        var statistics = SessionStoreStatistics()
        store.state.withLock { state in
            statistics.sessions = state.table.count
            statistics.users = state.table.userCount
            statistics.bytes = state.table.byteCount
            statistics.evicted = state.table.evictions
            statistics.expired = state.table.expirations
            statistics.refused = state.table.refusals
        }
        if let (age, duration) = keeper?.figures { (statistics.sinceSaved, statistics.lastSave) = (age, duration) }
        statistics.saveFailures = keeper?.failureCount
        statistics.unsaved = stateJournal?.failureCount
        return statistics
    }

    /// Writes the state file now.
    ///
    /// - Throws: `SessionStoreError` where there is none, or it cannot be written; the log says why.
    public func save() throws -> String {
        try MemoryProvider.StateFile.report(keeper?.writeNow)
    }

    /// Ends what waits for locks and the connections of PHP, and writes the state file a last time.
    public func close() {
        server?.close()
        base.close()
        keeper?.close()
    }

    // MARK: As PHP's other stores

    /// As ``PHPProvider``.
    public func lookUp(_ session: SessionHandle) throws -> SessionFinding { try base.lookUp(session) }

    /// As ``PHPProvider``.
    public func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] { try base.lookUp(candidates) }

    /// As ``PHPProvider``.
    public func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation { try base.create(id, draft) }

    /// As ``PHPProvider``.
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try base.commit(patch, to: session, expecting: version)
    }

    /// As ``PHPProvider``.
    public func touch(_ session: SessionHandle) throws -> SessionTouch { try base.touch(session) }

    /// As ``PHPProvider``.
    public func destroy(_ session: SessionHandle) throws -> Bool { try base.destroy(session) }

    /// As ``PHPProvider``.
    public func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try base.rotate(session, to: new, grace: grace)
    }

    /// As ``PHPProvider``.
    public var isBusy: Bool { base.isBusy }

    /// As ``PHPProvider``.
    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        try await base.lookUpAsync(candidates)
    }

    /// As ``PHPProvider``.
    public func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation {
        try await base.createAsync(id, draft)
    }

    /// As ``PHPProvider``.
    public func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome {
        try await base.commitAsync(patch, to: session, expecting: version)
    }

    /// As ``PHPProvider``.
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch { try await base.touchAsync(session) }
}
