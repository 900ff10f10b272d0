internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import RESP
public import Sessions

/// Sessions in Redis or Valkey (7.0 or newer), for many processes and machines, under the name `redis`.
///
///     RedisProvider.register()
///     let sessions = try SessionManager(
///         provider: "redis", options: SessionProviderOptions(parameters: ["url": "unix:///run/redis/redis.sock"]),
///         configuration: SessionConfiguration())
///
/// **Round trips**: one for a request that uses its session, one more for a commit that has something to bring; a script
/// each, which is atomic. A log-in takes three more. Calls take the configuration's `timeout` in all, 250 ms by default, and
/// throw `SessionStoreError` then. Those of `AsyncSessionProvider` hold no thread meanwhile, and share their round trips with
/// all that wait at the same time; the others block theirs.
///
/// **What Redis has**: a hash for each session under the SHA-256 of its id, with an expiry always, and a sorted set for each
/// user. No id, and with `encryptsValues` no value of the application, can be read in it.
///
/// **What Redis loses, is lost**: an acknowledged change that had not reached the disk or the replica when a primary went, a
/// log-out, too. See the article "Sessions on many machines".
///
/// Lists and "log out everywhere" cost in proportion to a user's sessions, not to a list's limit; so keep
/// `SessionConfiguration.maximumSessionsPerUser`. Redis expires by itself: nothing is collected, and sessions are not counted.
public final class RedisProvider: UserIndexedProvider, ListingProvider {
    let store: RedisStore
    let replicas: RedisReplicas?
    /// What is kept, and what of it can be listed.
    public let traits: SessionProviderTraits

    /// A provider over the servers that the configuration names.
    ///
    /// Looks whether they can be used as they are, see ``check()``; that Redis cannot be reached now is logged, and no error:
    /// requests that need a session are answered with 503 until it is there.
    ///
    /// - Throws: `ConfigurationError` that names the field.
    public init(configuration: Configuration) throws {
        let settings = try configuration.settings()
        let client = try RedisClient(settings: settings)
        store = RedisStore(
            client: client, keys: RedisKeys(hashTag: settings.hashTag), timeout: settings.totalTimeout,
            encrypts: configuration.encryptsValues, logger: configuration.logger)
        replicas = configuration.replicasOfLogOuts.map {
            RedisReplicas(count: $0, timeout: configuration.replicaTimeout.milliseconds)
        }
        var traits = SessionProviderTraits()
        traits.listsValues = !configuration.encryptsValues
        // Encrypted and with its protocol around it, it is within what a reply may be (`RESPLimits`).
        traits.limits = SessionLimits(bytes: 8 << 20, keys: 65_536)
        self.traits = traits
        do {
            for remark in try check() { configuration.logger.warning("\(remark)") }
            let addresses = settings.servers.addresses.map { "\($0)" }.joined(separator: ", ")
            configuration.logger.info(
                "sessions are in Redis", metadata: ["servers": "\(addresses)", "name": "\(settings.hashTag)"])
        } catch let error as SessionStoreError {
            guard let fault = fault(error, password: settings.password, isTrial: configuration.isTrial) else {
                configuration.logger.error("sessions cannot be kept for the moment: \(error)")
                return
            }
            close()
            throw ConfigurationError(
                field: fault.field,
                reason: fault.reason,
                remedy: fault.remedy)
        }
    }

    /// What an id leads to. One round trip; one more for each rotation that the id lags behind, eight at most.
    public func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try store.call().carryOut(RedisLookUp([session.id], store))[0]
    }

    /// What each id leads to, in one round trip; one more for each rotation that some lag behind, eight at most.
    public func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        guard !candidates.isEmpty else { return [] }
        return try store.call().carryOut(lookUp(of: candidates))
    }

    func lookUp(of candidates: SessionIDCandidates) -> RedisLookUp {
        RedisLookUp((0..<candidates.count).map { candidates[$0] }, store)
    }

    /// Begins a session. One round trip. At its `maxmemory` Redis refuses it: `.full`.
    public func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        // Its time counts from when it can be sent: sealing many values takes some.
        let operation = RedisCreate(id, draft, store)
        do throws(SessionStoreError) {
            return try store.call().carryOut(operation)
        } catch {
            guard error.reason == .full else { throw error }
            return .full
        }
    }

    /// Makes the patch's changes. One round trip; values come back only where others have changed some.
    ///
    /// - Throws: `SessionStoreError`, of the reason `full` when Redis is at its `maxmemory`; nothing was changed then.
    public func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        let operation = RedisCommit(patch, to: session, expecting: version, store)
        return try store.call().carryOut(operation)
    }

    /// Sets "last seen" to now. One round trip.
    public func touch(_ session: SessionHandle) throws -> SessionTouch {
        try store.call().carryOut(RedisTouch(session, store))
    }

    /// Some of the live sessions. Two round trips a page; the walk is Redis's SCAN, over the whole database, so that a page of a
    /// database with other keys may be empty.
    public func sessions(from position: SessionListPosition?, limit: Int) throws -> SessionListPage {
        let command = RedisCommand(
            "SCAN",
            [
                .text(String(position?.rawValue ?? 0)), "MATCH", .text(store.keys.sessionPattern), "COUNT",
                .integer(Int64(max(1, min(limit, 1_000)))),
            ], isRepeatable: true)
        let call = store.call()
        guard let reply = try call.run([command]).first?.array, reply.count == 2,
            let next = reply[0].text.flatMap(UInt64.init), let keys = reply[1].array
        else { throw RedisStore.nonsense }
        let lookUps = keys.compactMap(\.bytes).map {
            RedisCommand(RedisScripts.lookUp, keys: [.bytes($0)], isRepeatable: true)
        }
        var page = SessionListPage(next: next == 0 ? nil : SessionListPosition(rawValue: next))
        guard !lookUps.isEmpty else { return page }
        for reply in try call.run(lookUps) {
            let (found, now) = try store.found(reply, fields: store.fieldsWithoutID)
            guard case .session(let metadata, let values) = found else { continue }
            page.sessions.append(metadata.record(values, at: now, successor: nil, lease: nil))
        }
        return page
    }

    /// What the client has done since it was made.
    package var clientStatistics: RedisStatistics { store.client.statistics }

    /// Closes the connections.
    public func close() {
        store.close()
    }
}

extension RedisProvider: AsyncSessionProvider {
    /// True while a call to Redis is under way.
    public var isBusy: Bool { store.isBusy }

    /// What each id leads to; what is asked for at the same time goes to Redis in one round trip.
    public func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding] {
        guard !candidates.isEmpty else { return [] }
        return try await store.call().awaitOutcome(lookUp(of: candidates))
    }

    /// Begins a session. At its `maxmemory` Redis refuses it: `.full`.
    public func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation {
        let operation = RedisCreate(id, draft, store)
        do throws(SessionStoreError) {
            return try await store.call().awaitOutcome(operation)
        } catch {
            guard error.reason == .full else { throw error }
            return .full
        }
    }

    /// Makes the patch's changes; values come back only where others have changed some.
    public func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome {
        let operation = RedisCommit(patch, to: session, expecting: version, store)
        return try await store.call().awaitOutcome(operation)
    }

    /// Sets "last seen" to now.
    public func touchAsync(_ session: SessionHandle) async throws -> SessionTouch {
        try await store.call().awaitOutcome(RedisTouch(session, store))
    }
}

extension [UInt8] {
    /// A session's name in its user's list: 16 random bytes.
    static func reference() -> [UInt8] {
        let number = UInt128.random(in: .min ... .max)
        return Swift.withUnsafeBytes(of: number) { [UInt8]($0) }
    }
}
