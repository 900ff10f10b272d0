import Sessions

/// A store that is down.
final class FailingProvider: UserIndexedProvider {
    struct Down: Error {}

    func lookUp(_ session: SessionHandle) throws -> SessionFinding { throw Down() }
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation { throw Down() }
    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        throw Down()
    }
    func touch(_ session: SessionHandle) throws -> SessionTouch { throw Down() }
    func destroy(_ session: SessionHandle) throws -> Bool { throw Down() }
    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation { throw Down() }
    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList { throw Down() }
    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool { throw Down() }
    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int { throw Down() }
    func statistics() throws -> SessionStoreStatistics { throw Down() }
    func close() {}
}
