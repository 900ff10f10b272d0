/// A provider whose calls can be awaited: a request then holds no thread while the store answers.
///
/// For stores across a network, and for locks that are waited for. The library looks a session up before the handler of a
/// route that uses sessions, and commits after it, by these methods; what is rarer (a log-out, a rotation, lists of a user's
/// sessions) goes by the synchronous ones.
///
/// Each method means exactly what the synchronous one of its name does, throws the same, and shares its bound: 250 ms at
/// most, from the call on. It is called on the threads that answer requests, from many tasks at once, so it must not block. The
/// task of a request whose client has gone is cancelled: a call goes on to its end all the same, for its outcome is the
/// session's. After `close` it throws, and so do calls that wait for it.
public protocol AsyncSessionProvider: SessionProvider {
    /// Whether others' calls are under way, so that it pays to wait without a thread: a hint, which costs next to nothing.
    ///
    /// While it is false, sync handlers may be run with synchronous calls, one request at a time, which saves the way to
    /// another thread and back. A provider may always say true.
    var isBusy: Bool { get }

    /// What each of a request's ids leads to, in their order; as `lookUp` of ``SessionProvider``.
    func lookUpAsync(_ candidates: SessionIDCandidates) async throws -> [SessionFinding]

    /// Begins a session; as `create` of ``SessionProvider``.
    func createAsync(_ id: SessionID, _ draft: SessionDraft) async throws -> SessionCreation

    /// Makes the patch's changes on the record as it is now; as `commit` of ``SessionProvider``.
    func commitAsync(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) async throws -> SessionCommitOutcome

    /// Sets "last seen" to now; as `touch` of ``SessionProvider``.
    func touchAsync(_ session: SessionHandle) async throws -> SessionTouch
}
