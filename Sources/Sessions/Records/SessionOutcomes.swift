/// What came of `SessionProvider.create`.
public enum SessionCreation: Sendable {
    /// The session exists now; with what the provider keeps for the request, if it keeps something.
    case created(lease: (any SessionLease)? = nil)
    /// The id is in use; its record is untouched.
    case exists
    /// The store is at its cap and nothing may go for this session.
    case full
}

/// What came of `SessionProvider.commit`.
public enum SessionCommitOutcome: Sendable {
    /// The changes are made; the record has this version now, and these values, if the provider has them at hand.
    ///
    /// With `successor` the record was reached through an id that a rotation replaced: the id to use from now on.
    case committed(version: UInt64, values: SessionValues?, successor: SessionID? = nil)
    /// The changes left nothing, not even a reserved value: the record is removed.
    case emptied
    /// The record is not at the expected version; nothing was changed. This is the record now.
    case conflict(SessionRecord)
    /// There is no such session (any more); nothing was created.
    case gone
    /// The merged record would pass the patch's limits; nothing was changed.
    case overLimit(SessionError)
}

/// What came of `SessionProvider.touch`.
public enum SessionTouch: Hashable, Sendable {
    /// "Last seen" is now; the session lives for `remaining` if nobody comes.
    ///
    /// With `successor` the record was reached through an id that a rotation replaced: the id to use from now on.
    case touched(remaining: Duration, successor: SessionID? = nil)
    /// There is no such session (any more); nothing was created.
    case gone
}

/// What came of `SessionProvider.rotate`.
public enum SessionRotation: Sendable {
    /// The record is under the new id.
    case rotated
    /// The old id was rotated before and is in its grace: this is the id that all latecomers get.
    case successor(SessionID)
    /// There is no such session (any more).
    case gone
    /// The new id is in use; both records are untouched.
    case taken
}

/// What a slice of garbage collection did.
public struct SessionCollection: Sendable {
    /// Expired records that were removed.
    public var removed: Int
    /// True when more expired records may be waiting.
    public var hasMore: Bool

    /// A result.
    public init(removed: Int, hasMore: Bool) {
        self.removed = removed
        self.hasMore = hasMore
    }
}
