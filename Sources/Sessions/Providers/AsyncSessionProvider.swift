/// A provider whose calls can be awaited: a request then holds no thread while the store answers.
///
/// For stores across a network, and for locks that are waited for. The library looks a session up before the handler of a
/// route that uses sessions, and commits after it, by these methods; what is rarer (a log-out, a rotation, lists of a user's
/// sessions) goes by the synchronous ones.
///
/// Each method means exactly what the synchronous one of its name does, and shares its bound: 250 ms at most, from the call
/// on. It is called on the threads that answer requests, so it must not block them. The task of a request whose client has
/// gone is cancelled: a call that has begun goes on to its end all the same, for its outcome is the session's.
public protocol AsyncSessionProvider: SessionProvider {
    /// Whether others' calls are under way, so that it pays to wait without a thread: a hint, which costs next to nothing.
    ///
    /// While it is false, sync handlers may be run with synchronous calls, one request at a time, which saves the way to
    /// another thread and back. A provider may always say true.
    var isBusy: Bool { get }

    /// As ``SessionProvider/lookUp(_:)-(SessionIDCandidates)``.
    func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding]

    /// As ``SessionProvider/create(_:_:)``.
    func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation

    /// As ``SessionProvider/commit(_:to:expecting:)-(_,SessionHandle,_)``.
    func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome

    /// As ``SessionProvider/touch(_:)-(SessionHandle)``.
    func touchAsync(_ session: SessionHandle) async throws -> SessionTouch
}
