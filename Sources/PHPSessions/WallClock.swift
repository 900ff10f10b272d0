internal import Glibc

/// The clock that PHP's sessions go by, since files say by it when they were used last: the time since 1970.
package struct WallClock: Sendable {
    /// The time of another clock than the system's.
    let other: (@Sendable () -> Duration)?

    /// The system's, which people set.
    package static let system = WallClock(other: nil)

    /// A clock of a test's own.
    package init(_ now: @escaping @Sendable () -> Duration) {
        self.init(other: now)
    }

    private init(other: (@Sendable () -> Duration)?) {
        self.other = other
    }

    package var now: Duration {
        if let other { return other() }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Duration(now)
    }

    /// The time since then; none where the clock was set back. Anybody who may write a file may give it any time.
    package func idle(since lastUse: Duration) -> Duration { max(.zero, now - lastUse) }
}

extension Duration {
    init(_ time: timespec) {
        self = .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    var timespec: timespec {
        let (seconds, attoseconds) = components
        return Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }
}
