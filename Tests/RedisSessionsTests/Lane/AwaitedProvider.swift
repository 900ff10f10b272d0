import GalletaPlatform
import RedisSessions
import Sessions

/// The Redis provider by its awaited calls, where there are such; for tests that block.
final class AwaitedProvider: UserIndexedProvider, ListingProvider {
    let base: RedisProvider

    init(_ base: RedisProvider) {
        self.base = base
    }

    var traits: SessionProviderTraits { base.traits }

    func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try blocking { [base] in try await base.lookUpAsync(SessionIDCandidates(session.id)) }[0]
    }
    func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        try blocking { [base] in try await base.lookUpAsync(candidates) }
    }
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        try blocking { [base] in try await base.createAsync(id, draft) }
    }
    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try blocking { [base] in try await base.commitAsync(patch, to: session, expecting: version) }
    }
    func touch(_ session: SessionHandle) throws -> SessionTouch {
        try blocking { [base] in try await base.touchAsync(session) }
    }
    func destroy(_ session: SessionHandle) throws -> Bool { try base.destroy(session) }
    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try base.rotate(session, to: new, grace: grace)
    }
    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        try base.sessions(of: user, current: id, limit: limit)
    }
    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        try base.destroy(reference, of: user)
    }
    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        try base.destroySessions(of: user, except: id, keeping: kept)
    }
    func sessions(from position: SessionListPosition?, limit: Int) throws -> SessionListPage {
        try base.sessions(from: position, limit: limit)
    }
    func close() { base.close() }
}

/// Waits on this thread for what is awaited elsewhere.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
    try start(body).value()
}

/// What a task gives, for a thread that waits.
final class Awaited<Value: Sendable>: Sendable {
    private let outcome = Monitor<Result<Value, any Error>?>(nil)

    func set(_ result: Result<Value, any Error>) {
        outcome.withLock { $0 = result }
        outcome.wake()
    }

    var isThere: Bool { outcome.withLock { $0 != nil } }

    func value() throws -> Value { try outcome.wait(until: { $0 != nil }, then: { $0! }).get() }
}

/// Starts a task; its thread may be any.
func start<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) -> Awaited<Value> {
    let awaited = Awaited<Value>()
    Task.detached {
        do { awaited.set(.success(try await body())) } catch { awaited.set(.failure(error)) }
    }
    return awaited
}
