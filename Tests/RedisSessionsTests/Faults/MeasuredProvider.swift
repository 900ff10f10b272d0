import GalletaPlatform
import RedisSessions
import Sessions

/// The Redis provider, with a note in the book for each call.
final class MeasuredProvider: UserIndexedProvider {
    let provider: RedisProvider
    private let book: FaultBook

    init(_ configuration: RedisProvider.Configuration, book: FaultBook) throws {
        provider = try RedisProvider(configuration: configuration)
        self.book = book
    }

    private func measured<Result>(_ body: () throws -> Result) throws -> Result {
        let start = BootInstant.now
        do {
            let result = try body()
            book.called(start, nil)
            return result
        } catch {
            book.called(start, error)
            throw error
        }
    }

    var traits: SessionProviderTraits { provider.traits }

    func lookUp(_ session: SessionHandle) throws -> SessionFinding {
        try measured { try provider.lookUp(session) }
    }

    func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        try measured { try provider.lookUp(candidates) }
    }

    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation {
        try measured { try provider.create(id, draft) }
    }

    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try measured { try provider.commit(patch, to: session, expecting: version) }
    }

    func touch(_ session: SessionHandle) throws -> SessionTouch {
        try measured { try provider.touch(session) }
    }

    func destroy(_ session: SessionHandle) throws -> Bool {
        try measured { try provider.destroy(session) }
    }

    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try measured { try provider.rotate(session, to: new, grace: grace) }
    }

    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList {
        try measured { try provider.sessions(of: user, current: id, limit: limit) }
    }

    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool {
        try measured { try provider.destroy(reference, of: user) }
    }

    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int {
        try measured { try provider.destroySessions(of: user, except: id, keeping: kept) }
    }

    func close() {
        provider.close()
    }
}
