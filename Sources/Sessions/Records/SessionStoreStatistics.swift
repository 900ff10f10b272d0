/// What a store counts, since it was made unless said otherwise. What a provider does not count is nil.
public struct SessionStoreStatistics: Hashable, Sendable {
    /// Sessions now; expired ones that were not collected yet may count.
    public var sessions: Int?
    /// Those of them that have a user; the others are anonymous.
    public var users: Int?
    /// Bytes now, as the store's own cap counts them.
    public var bytes: Int?
    /// Sessions that ended by their deadline.
    public var expired: Int?
    /// Sessions that went to make room for others.
    public var evicted: Int?
    /// New sessions and changes that were refused for want of room.
    public var refused: Int?
    /// Log-ins, log-outs and rotations that could not be put on the disk.
    public var unsaved: Int?

    /// How long what is due has waited to be collected; zero if nothing waits.
    public var collectionLag: Duration?
    /// How long the last collection held a lock at a time, at most.
    public var lastSlice: Duration?
    /// Since when nothing has been written to the file that keeps the sessions; nil where there is none, or nothing was written.
    public var sinceSaved: Duration?
    /// How long that has taken.
    public var lastSave: Duration?
    /// How often it could not be written.
    public var saveFailures: Int?

    /// Counts for a provider to hand out.
    public init(
        sessions: Int? = nil, users: Int? = nil, bytes: Int? = nil, expired: Int? = nil, evicted: Int? = nil,
        refused: Int? = nil, unsaved: Int? = nil
    ) {
        self.sessions = sessions
        self.users = users
        self.bytes = bytes
        self.expired = expired
        self.evicted = evicted
        self.refused = refused
        self.unsaved = unsaved
    }
}
