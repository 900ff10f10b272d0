/// A provider that can list all its sessions, for an operator's tools: slow, and never on a visitor's way.
public protocol ListingProvider: SessionProvider {
    /// Some of the live sessions, and where to go on.
    ///
    /// Called again with each page's `next` it comes to an end, and has told of every session that was there all the time,
    /// at least once; of others it may or may not tell. In no order. A page may be empty and not the last.
    ///
    /// - Parameters:
    ///   - position: `next` of the page before; nil begins.
    ///   - limit: About how many to list, at least 1; each page is short work for the store.
    func sessions(from position: SessionListPosition?, limit: Int) throws -> SessionListPage
}

/// Where a walk through all sessions goes on: the provider's own affair.
public struct SessionListPosition: Hashable, Sendable {
    /// What the provider made of it.
    public var rawValue: UInt64

    /// A position for a provider to hand out.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A page of a list of all sessions.
public struct SessionListPage: Sendable {
    /// Sessions as they were at the moment of the call; their ids are nobody's business.
    public var sessions: [SessionRecord]
    /// Where to go on; nil at the end.
    public var next: SessionListPosition?

    /// A page for a provider to hand out.
    public init(sessions: [SessionRecord] = [], next: SessionListPosition? = nil) {
        self.sessions = sessions
        self.next = next
    }
}
