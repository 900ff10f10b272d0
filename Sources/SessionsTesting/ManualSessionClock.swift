internal import GalletaPlatform
public import Sessions

/// A clock that stands still until a test moves it.
///
///     let time = ManualSessionClock()
///     var configuration = MemoryProvider.Configuration()
///     configuration.clock = time.clock
///     …
///     time.advance(by: .seconds(3600))
///
/// Thread-safe.
public final class ManualSessionClock: Sendable {
    private let time: Locked<Duration>

    /// A clock that shows `start`.
    public init(start: Duration = .seconds(1_000)) {
        time = Locked(start)
    }

    /// The time since the clock's beginning.
    public var now: Duration { time.withLock { $0 } }

    /// Moves the clock forward.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "a monotonic clock never goes back")
        time.withLock { $0 += duration }
    }

    /// The clock, for a provider's configuration.
    public var clock: SessionClock {
        SessionClock { [self] in now }
    }
}
