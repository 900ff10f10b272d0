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
/// - **Ids** are secrets: a store that outlives the process keeps a digest, and no id is ever logged. Where one id must
///   lead to another, the store keeps it sealed (``SessionID/sealed(with:)``).
///
/// Each record has an idle timeout and an absolute one, set by `create` and changed by a commit with a lifetime: its
/// deadline is the earlier of "last seen plus idle timeout" and "created plus absolute timeout". No record is ever
/// without a deadline. What a store cannot keep of this it says in its ``traits``.
///
/// This is the core, which every store can do. What only some can is a protocol beside it: ``UserIndexedProvider``,
/// ``CollectingProvider``, ``ListingProvider``, ``AsyncSessionProvider``.
///
/// `SessionsTesting` has the contract as tests that run on any provider.
public protocol SessionProvider: AnyObject, Sendable {
    /// What the store can keep, and its own defaults; constant. By default everything, and the library's defaults.
    var traits: SessionProviderTraits { get }

    /// What ids look like, and how one is drawn; constant. By default 256 random bits.
    var idFormat: SessionIDFormat { get }

    /// What an id leads to. Changes nothing, not even "last seen".
    ///
    /// Through an id that a rotation replaced, while its grace lasts: the successor's record, with `successor` set.
    ///
    /// - Parameter session: The id; with a lease when the request has looked the session up before.
    func lookUp(_ session: SessionHandle) throws -> SessionFinding

    /// What each of a request's ids leads to, in their order; in one round trip, if the store has such.
    ///
    /// By default each is looked up by itself.
    func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding]

    /// Begins a session under `id`, which the caller drew (``SessionIDFormat/draw()``).
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
    ///     Without a change of a key the version stays; an empty patch looks whether the session is there.
    ///   - session: The session; an id in its grace reaches the successor, and the outcome names it.
    ///   - version: When given, the changes are made only if the record has that version (compare-and-set).
    func commit(
        _ patch: SessionPatch, to session: SessionHandle, expecting version: UInt64?
    ) throws -> SessionCommitOutcome

    /// Sets "last seen" to now, so that the idle timeout begins anew; values written meanwhile stay.
    ///
    /// - Parameter session: The session; an id in its grace reaches the successor, and the outcome names it.
    func touch(_ session: SessionHandle) throws -> SessionTouch

    /// Removes the session; an id in its grace removes its successor, with it.
    ///
    /// - Returns: False when there was none.
    func destroy(_ session: SessionHandle) throws -> Bool

    /// Gives the session a new id; values, version, "created" and deadlines stay.
    ///
    /// - Parameters:
    ///   - session: The session, by its id until now. Its lease goes with it to the new id.
    ///   - new: The id from now on, which the caller drew.
    ///   - grace: How long the old id still leads to the new one; zero: it is dead at once.
    func rotate(_ session: SessionHandle, to new: SessionID, grace: Duration) throws -> SessionRotation

    /// What the store counts. By default nothing.
    func statistics() throws -> SessionStoreStatistics

    /// Stops what runs in the background, keeps what is to outlive the process, and lets connections go. The provider
    /// is not used afterwards.
    func close()
}

extension SessionProvider {
    /// Everything can be kept.
    public var traits: SessionProviderTraits { SessionProviderTraits() }

    /// 256 random bits.
    public var idFormat: SessionIDFormat { .random }

    /// Looks each up by itself.
    public func lookUp(_ candidates: SessionIDCandidates) throws -> [SessionFinding] {
        try (0..<candidates.count).map { try lookUp(SessionHandle(candidates[$0])) }
    }

    /// Nothing is counted.
    public func statistics() throws -> SessionStoreStatistics { SessionStoreStatistics() }
}

// MARK: By an id alone

/// For tools and tests, which have an id and no request.
extension SessionProvider {
    /// The session of `id`; nil when there is none.
    public func read(_ id: SessionID) throws -> SessionRecord? {
        guard case .found(let record) = try lookUp(SessionHandle(id)) else { return nil }
        return record
    }

    /// What became of an id that a rotation replaced and that leads nowhere; nil for any other.
    public func retirement(of id: SessionID) throws -> SessionRetirement? {
        guard case .retired(let retirement) = try lookUp(SessionHandle(id)) else { return nil }
        return retirement
    }

    /// Makes the patch's changes on the session of `id`.
    public func commit(
        _ patch: SessionPatch, to id: SessionID, expecting version: UInt64?
    ) throws -> SessionCommitOutcome {
        try commit(patch, to: SessionHandle(id), expecting: version)
    }

    /// Sets "last seen" of the session of `id` to now.
    public func touch(_ id: SessionID) throws -> SessionTouch {
        try touch(SessionHandle(id))
    }

    /// Removes the session of `id`; false when there was none.
    public func destroy(_ id: SessionID) throws -> Bool {
        try destroy(SessionHandle(id))
    }

    /// Gives the session of `id` a new one.
    public func rotate(_ id: SessionID, to new: SessionID, grace: Duration) throws -> SessionRotation {
        try rotate(SessionHandle(id), to: new, grace: grace)
    }
}
