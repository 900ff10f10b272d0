public import struct GalletaPlatform.ByteString

/// A store of sessions: memory, Redis, PHP's own files, or yours.
///
/// The contract, for each method alike:
/// - **Synchronous and thread-safe.** Called from many threads at once; may block, but for a bounded time (250 ms at
///   most, while a visitor waits).
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
/// Each record has an idle timeout and an absolute one, set by `create` and changed by a commit with a lifetime: its
/// deadline is the earlier of "last seen plus idle timeout" and "created plus absolute timeout". No record is ever
/// without a deadline.
///
/// A record whose values have a `SessionKey.user` belongs to that user; whatever sets or removes that key binds the
/// session, and the methods about users see it from then on.
///
/// `SessionsTesting` has the contract as tests that run on any provider.
public protocol SessionProvider: AnyObject, Sendable {
    /// True when the sessions are known to this process only, so that a second one on the same socket would lose them.
    /// By default false.
    var isLocalToProcess: Bool { get }

    /// The session of `id`; nil when there is none. Changes nothing, not even "last seen".
    ///
    /// Through an id that a rotation replaced, while its grace lasts: the successor's record, with `successor` set.
    func read(_ id: SessionID) throws -> SessionRecord?

    /// Begins a session under `id`, which the caller drew at random.
    ///
    /// At its cap a store makes room or answers `.full`, in this order: expired records go first, then sessions whose
    /// id never came back, then anonymous ones, the least recently seen first. For a draft with a user, and never for an
    /// anonymous one, the user who holds most sessions then loses the one least recently seen, but nobody the only one.
    /// Which of several who hold equally many, is for the provider to decide and to document.
    func create(_ id: SessionID, _ draft: SessionDraft) throws -> SessionCreation

    /// Makes the patch's changes on the record as it is now; other keys stay as they are.
    ///
    /// A store with a cap of bytes makes room as for `create`: as for a user's draft when the patch sets
    /// `SessionKey.user`, else as for an anonymous one. It never takes the session itself.
    ///
    /// - Parameters:
    ///   - patch: The changes. With `touches` also "last seen" becomes now, with `lifetime` the timeouts become those.
    ///     Without a change of a key the version stays.
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

    /// What became of an id that leads nowhere: nil, or since when another one has stood in its place.
    ///
    /// A stolen id shows itself when it is used after its rotation; so a provider remembers a rotated id for a while
    /// (an hour is enough), as far as it has room. Asked about ids in their grace too, and only when `read` found
    /// nothing. A provider that remembers none has this by default: always nil.
    func retirement(of id: SessionID) throws -> SessionRetirement?

    /// The live sessions that belong to `user`, the one last seen first, and how many there are.
    ///
    /// The work is to be in proportion to the limit, however many sessions the user has.
    ///
    /// - Parameters:
    ///   - user: The value of `SessionKey.user`.
    ///   - id: The caller's own session, to be marked in the list; an id in its grace counts as its successor. It is in
    ///     the list in any case, at the end in place of another if need be.
    ///   - limit: The most sessions to list; not negative. With 1 that is the caller's own, if the user has it.
    func sessions(of user: ByteString, current id: SessionID?, limit: Int) throws -> UserSessionList

    /// Removes one session out of `sessions(of:current:limit:)`.
    ///
    /// - Returns: False when the user has no such session (any more).
    func destroy(_ reference: SessionReference, of user: ByteString) throws -> Bool

    /// Removes the sessions that belong to `user`: all that were bound when the call began, whatever their ids become
    /// meanwhile, but those that are kept. One that is bound while the call runs (a new log-in) may stay.
    ///
    /// - Parameters:
    ///   - user: The value of `SessionKey.user`.
    ///   - id: A session to spare; an id in its grace counts as its successor.
    ///   - kept: How many of the others are kept, those last seen; not negative.
    /// - Returns: How many live sessions were removed.
    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int

    /// Removes at most `limit` expired records: one short slice of garbage collection.
    ///
    /// May remove fewer than there are, so that the call stays short; call it again while `hasMore`.
    ///
    /// Stores that expire records by themselves do nothing and say so: 0 removed, no more.
    func collect(limit: Int) throws -> SessionCollection

    /// How many sessions there are; expired ones that were not collected yet may count.
    func count() throws -> Int

    /// What the store counts. By default only `count()`.
    func statistics() throws -> SessionStoreStatistics

    /// Stops what runs in the background, keeps what is to outlive the process, and lets connections go. The provider
    /// is not used afterwards.
    func close()
}

extension SessionProvider {
    /// Shared by any number of processes.
    public var isLocalToProcess: Bool { false }

    /// Remembers no rotated id.
    public func retirement(of id: SessionID) throws -> SessionRetirement? { nil }

    /// Only the number of sessions.
    public func statistics() throws -> SessionStoreStatistics {
        SessionStoreStatistics(sessions: try count())
    }
}
