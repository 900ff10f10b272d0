public import struct GalletaPlatform.ByteString

/// A provider that finds sessions by their users: for lists, "log out everywhere" and a cap of sessions a user.
///
/// A record whose values have a `SessionKey.user` belongs to that user; whatever sets or removes that key binds the
/// session, and these methods see it from then on. Without this refinement a manager refuses
/// `SessionConfiguration.maximumSessionsPerUser`, and lists throw ``SessionError`` of code `unsupported`.
///
/// Each method is one moment to the sessions that it lists or ends: none slips through by a rotation meanwhile.
public protocol UserIndexedProvider: SessionProvider {
    /// The live sessions that belong to `user`, the one last seen first, and how many there are.
    ///
    /// The work is to be in proportion to the limit, however many sessions the user has; a provider of which that is not
    /// true documents it.
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
    ///   - id: A session to spare; an id in its grace counts as its successor. Where it is no live session of the user's (any
    ///     more), nothing is removed: of two log-ins at once that each leave no room for another session, one ends the other, and
    ///     not both each other.
    ///   - kept: How many of the others are kept, those last seen; not negative.
    /// - Returns: How many live sessions were removed.
    func destroySessions(of user: ByteString, except id: SessionID?, keeping kept: Int) throws -> Int
}
