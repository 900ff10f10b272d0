/// What a provider keeps with a session for the time of one request: a base record, a lock, a descriptor.
///
/// Any object; a look-up or a creation hands it out, and each later call of the request hands it back. It is let go of when
/// the request ends, however it ends: what must be given back (a lock) is given back in `deinit`. A request's calls come
/// one at a time, but on any thread. A provider that needs none has none.
public typealias SessionLease = AnyObject & Sendable

/// A session as a request knows it: its id, and what the provider keeps with it.
public struct SessionHandle: Sendable {
    /// The id.
    public let id: SessionID
    /// The provider's own, from the look-up or the creation; nil for callers that have none, and after the answer has begun.
    public let lease: (any SessionLease)?

    /// A handle of this id.
    @inlinable
    public init(_ id: SessionID, lease: (any SessionLease)? = nil) {
        self.id = id
        self.lease = lease
    }
}
