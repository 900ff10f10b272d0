/// What a store counts, since it was made unless said otherwise. What a provider does not count is nil.
public struct SessionStoreStatistics: Hashable, Sendable {
    /// Sessions now; expired ones that were not collected yet may count.
    public var sessions: Int?
    /// Bytes now, as the store's own cap counts them.
    public var bytes: Int?
    /// Sessions that ended by their deadline.
    public var expired: Int?
    /// Sessions that went to make room for others.
    public var evicted: Int?
    /// New sessions and changes that were refused for want of room.
    public var refused: Int?

    /// Counts for a provider to hand out.
    public init(
        sessions: Int? = nil, bytes: Int? = nil, expired: Int? = nil, evicted: Int? = nil, refused: Int? = nil
    ) {
        self.sessions = sessions
        self.bytes = bytes
        self.expired = expired
        self.evicted = evicted
        self.refused = refused
    }
}
