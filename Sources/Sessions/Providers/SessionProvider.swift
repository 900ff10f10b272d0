/// A store of sessions: memory, Redis, PHP's own files, or yours.
///
/// The contract, for each method alike:
/// - **Synchronous and thread-safe.** Called from many threads at once; may block, but for a bounded time.
/// - **Atomic.** Each call happens at one moment, as seen by all others, in other processes too.
/// - **Missing and expired are one**: a session is gone at the very instant of its deadline (exclusive), whether or not
///   its record was collected. Neither is an error.
/// - **A damaged record** is gone too; say so in a log, keep the bytes if you can.
/// - **An error means that the store failed**: unreachable, too slow, refused. Throw `SessionStoreError`, or any
///   error, which is wrapped in one. The session's state is unknown then.
/// - **Nothing is resurrected**: only `create` and `rotate` make a record under an id.
/// - **Durations, not dates**, cross the boundary; the store's clock rules.
/// - **Ids** are secrets: a store that outlives the process keeps a digest, and no id is ever logged.
///
/// Each record has an idle timeout and an absolute one, set by `create`: its deadline is the earlier of "last seen plus
/// idle timeout" and "created plus absolute timeout". No record is ever without a deadline.
public protocol SessionProvider: AnyObject, Sendable {
    /// The session of `id`; nil when there is none. Changes nothing, not even "last seen".
    ///
    /// Through an id that a rotation replaced, while its grace lasts: the successor's record, with `successor` set.
    func read(_ id: SessionID) throws -> SessionRecord?

    /// Begins a session under `id`, which the caller drew at random.
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation

    /// Makes the patch's changes on the record as it is now; other keys stay as they are.
    ///
    /// - Parameters:
    ///   - patch: The changes. With `touches` also "last seen" becomes now. Without any change the version stays.
    ///   - id: The session; an id in its grace reaches the successor, and the outcome names it.
    ///   - version: When given, the changes are made only if the record has that version (compare-and-set).
    func commit(_ patch: SessionPatch, to id: SessionID, expecting version: UInt64?) throws -> SessionCommitOutcome

    /// Sets "last seen" to now, so that the idle timeout begins anew; values written meanwhile stay.
    ///
    /// - Parameter id: The session; an id in its grace reaches the successor, and the outcome names it.
    func touch(_ id: SessionID) throws -> SessionTouch

    /// Removes the session; an id in its grace removes its successor, with it.
    ///
    /// - Returns: False when there was none.
    func destroy(_ id: SessionID) throws -> Bool

    /// Gives the session a new id; values, version, "created" and deadlines stay.
    ///
    /// - Parameters:
    ///   - id: The id until now.
    ///   - new: The id from now on, which the caller drew at random.
    ///   - grace: How long the old id still leads to the new one; zero: it is dead at once.
    func rotate(_ id: SessionID, to new: SessionID, grace: Duration) throws -> SessionRotation

    /// Removes at most `limit` expired records: one short slice of garbage collection.
    ///
    /// May remove fewer than there are, so that the call stays short; call it again while `hasMore`.
    ///
    /// Stores that expire records by themselves do nothing and say so: 0 removed, no more.
    func collect(limit: Int) throws -> SessionCollection

    /// How many sessions there are; expired ones that were not collected yet may count.
    func count() throws -> Int

    /// Stops what runs in the background and lets connections go. The provider is not used afterwards.
    func close()
}
