import Sessions

/// A store that is down.
final class FailingProvider: SessionProvider {
    struct Down: Error {}

    func read(_ id: SessionID) throws -> SessionRecord? { throw Down() }
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation { throw Down() }
    func commit(_ patch: SessionPatch, to id: SessionID, expecting version: UInt64?) throws -> SessionCommitOutcome {
        throw Down()
    }
    func touch(_ id: SessionID) throws -> SessionTouch { throw Down() }
    func destroy(_ id: SessionID) throws -> Bool { throw Down() }
    func rotate(_ id: SessionID, to new: SessionID, grace: Duration) throws -> SessionRotation { throw Down() }
    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList { throw Down() }
    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool { throw Down() }
    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int { throw Down() }
    func collect(limit: Int) throws -> SessionCollection { throw Down() }
    func count() throws -> Int { throw Down() }
    func close() {}
}
