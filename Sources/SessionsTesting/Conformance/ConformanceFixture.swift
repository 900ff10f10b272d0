public import Sessions

/// A provider with an empty store, and what a case may do to it.
public struct ConformanceFixture: Sendable {
    /// The provider.
    public var provider: any SessionProvider
    /// Lets the store's clock go on by so much: moves a manual clock, or waits.
    public var advance: @Sendable (Duration) throws -> Void
    /// True for a clock that stands still between calls of `advance`: then deadlines are tested to the nanosecond.
    public var isClockExact: Bool
    /// What the cases take for a second. A store whose clock cannot be moved sets something short, but so long that a
    /// few calls are quick beside it: 50 ms, for example. Default: 1 s.
    public var second: Duration = .seconds(1)
    /// Makes a second provider on the same store.
    public var another: (@Sendable () throws -> any SessionProvider)?
    /// Closes nothing, opens the store anew: what a restart of the process does after `provider.close()`.
    public var reopen: (@Sendable () throws -> any SessionProvider)?
    /// All bytes that the store keeps where others could read them.
    public var storedBytes: (@Sendable () throws -> [UInt8])?
    /// Stops the store and starts it again.
    public var outage: Outage?
    /// Whether the provider keeps the cap of sessions that the case asked for. Default: false.
    public var keepsCap = false

    /// A store that goes away and comes back.
    public struct Outage: Sendable {
        /// Stops the store; calls fail from now on.
        public var stop: @Sendable () throws -> Void
        /// Starts it again.
        public var resume: @Sendable () throws -> Void

        /// An outage by these two.
        public init(stop: @escaping @Sendable () throws -> Void, resume: @escaping @Sendable () throws -> Void) {
            self.stop = stop
            self.resume = resume
        }
    }

    /// A provider whose clock the suite moves.
    public init(provider: any SessionProvider, time: ManualSessionClock) {
        self.provider = provider
        advance = { time.advance(by: $0) }
        isClockExact = true
    }

    /// A provider whose clock cannot be moved.
    ///
    /// - Parameters:
    ///   - provider: The provider.
    ///   - second: What the cases take for a second.
    ///   - wait: Waits so long.
    public init(
        provider: any SessionProvider, second: Duration, wait: @escaping @Sendable (Duration) throws -> Void
    ) {
        self.provider = provider
        self.second = second
        advance = wait
        isClockExact = false
    }
}
