internal import GalletaPlatform

/// A session as its store holds it at one moment.
///
/// Times are durations from that moment, never dates: the clock of the store and that of the process may differ.
public struct SessionRecord: Sendable {
    /// The values.
    public var values: SessionValues
    /// Changes with each change of the values; for compare-and-set.
    public var version: UInt64
    /// The id to use from now on, when the record was found through an id that a rotation replaced.
    public var successor: SessionID?
    /// What the provider keeps with the session for the time of the request; nil if nothing.
    public var lease: (any SessionLease)?

    // Nanoseconds: a `Duration` is 128 bits wide and costs a division on each way.
    package var ageNanoseconds: Int64
    package var idleNanoseconds: Int64
    package var idleRemainingNanoseconds: Int64
    package var absoluteRemainingNanoseconds: Int64

    /// A record for a provider to hand out.
    ///
    /// - Parameters:
    ///   - values: The values.
    ///   - version: Changes with each change of the values.
    ///   - successor: The id to use from now on, when the record was found through an id that a rotation replaced.
    ///   - age: Since the session began.
    ///   - idle: Since the session was last seen (created or touched).
    ///   - idleRemaining: Until the idle timeout ends the session; positive.
    ///   - absoluteRemaining: Until the absolute timeout ends the session; positive.
    ///   - lease: What the provider wants to have back in later calls of the request.
    public init(
        values: SessionValues, version: UInt64, successor: SessionID? = nil, age: Duration, idle: Duration,
        idleRemaining: Duration, absoluteRemaining: Duration, lease: (any SessionLease)? = nil
    ) {
        self.init(
            values: values, version: version, successor: successor, ageNanoseconds: age.nanoseconds,
            idleNanoseconds: idle.nanoseconds, idleRemainingNanoseconds: idleRemaining.nanoseconds,
            absoluteRemainingNanoseconds: absoluteRemaining.nanoseconds)
        self.lease = lease
    }

    package init(
        values: SessionValues, version: UInt64, successor: SessionID?, ageNanoseconds: Int64, idleNanoseconds: Int64,
        idleRemainingNanoseconds: Int64, absoluteRemainingNanoseconds: Int64
    ) {
        self.values = values
        self.version = version
        self.successor = successor
        self.ageNanoseconds = ageNanoseconds
        self.idleNanoseconds = idleNanoseconds
        self.idleRemainingNanoseconds = idleRemainingNanoseconds
        self.absoluteRemainingNanoseconds = absoluteRemainingNanoseconds
    }

    /// Since the session began.
    public var age: Duration { .nanoseconds(ageNanoseconds) }
    /// Since the session was last seen (created or touched).
    public var idle: Duration { .nanoseconds(idleNanoseconds) }
    /// Until the idle timeout ends the session.
    public var idleRemaining: Duration { .nanoseconds(idleRemainingNanoseconds) }
    /// Until the absolute timeout ends the session.
    public var absoluteRemaining: Duration { .nanoseconds(absoluteRemainingNanoseconds) }
    /// Until the session ends if nobody comes: the smaller of the two.
    public var remaining: Duration { .nanoseconds(min(idleRemainingNanoseconds, absoluteRemainingNanoseconds)) }
}

/// What a provider keeps with a session for the time of one request: a base record, a lock, a descriptor.
///
/// Any object; a look-up or a creation hands it out, and each later call of the request hands it back. It is let go of when
/// the request ends, however it ends: what must be given back (a lock) is given back in `deinit`, or before, when the request is cut
/// (`SessionIDCandidates.end`). A request's calls may come side by side, on any thread: its handler may have child tasks.
/// A provider that needs none has none.
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
