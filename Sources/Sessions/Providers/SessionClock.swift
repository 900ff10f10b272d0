internal import GalletaPlatform

/// The monotonic clock that a provider in this process measures with.
///
/// Never the wall clock: setting the time must not end sessions. Tests put a manual clock here.
public struct SessionClock: Sendable {
    private let custom: (@Sendable () -> Duration)?

    /// The time since boot, suspension included.
    public static let boot = SessionClock(custom: nil)

    private init(custom: (@Sendable () -> Duration)?) {
        self.custom = custom
    }

    /// A clock of your own: the time since some fixed moment, never going back. Called from many threads.
    public init(_ now: @escaping @Sendable () -> Duration) {
        custom = now
    }

    /// The time since the clock's beginning.
    public var now: Duration { .nanoseconds(nanoseconds) }

    /// True for the time since boot, false for a clock of the application's own.
    package var isBootClock: Bool { custom == nil }

    /// Nanoseconds since the clock's beginning.
    package var nanoseconds: Int64 {
        guard let custom else { return BootInstant.now.nanoseconds }
        return custom().nanoseconds
    }
}
