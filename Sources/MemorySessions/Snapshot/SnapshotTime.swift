internal import GalletaPlatform
internal import Glibc
internal import Sessions

/// A moment on the clocks that a restart can be measured with.
package struct SnapshotTime: Equatable, Sendable {
    /// Clocks beyond (146 years) are none; sums of two such times do not overflow.
    static let limit: Int64 = 1 << 62

    /// True for a clock of the application's own, which goes on over a restart.
    var hasOwnClock: Bool
    var bootID: BootID
    /// Nanoseconds of the provider's clock.
    var clock: Int64
    /// Nanoseconds since 1970.
    var wall: Int64

    init(hasOwnClock: Bool, bootID: BootID, clock: Int64, wall: Int64) {
        self.hasOwnClock = hasOwnClock
        self.bootID = bootID
        self.clock = clock
        self.wall = wall
    }

    /// Now.
    init(_ clock: SessionClock) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        self.init(
            hasOwnClock: !clock.isBootClock, bootID: .current, clock: clock.nanoseconds,
            wall: Int64(nanosecondsOf: time.tv_sec, time.tv_nsec))
    }

    /// A moment by the wall clock alone, by which sessions end that are kept by it; nanoseconds since 1970.
    package init(wall: Int64) {
        self.init(hasOwnClock: true, bootID: BootID(0, 0), clock: wall, wall: wall)
    }

    var isPlausible: Bool {
        (0..<Self.limit).contains(clock) && (0..<Self.limit).contains(wall)
    }

    /// How far times of a snapshot are moved to lie on the provider's clock of now.
    ///
    /// The provider's clock tells how long the process was down, if it went on meanwhile; else the wall clock, which may
    /// have been set, so that it only counts forward.
    func shift(to now: SnapshotTime) -> Int64 {
        let isSameClock = hasOwnClock == now.hasOwnClock && (hasOwnClock || (bootID == now.bootID && bootID.isKnown))
        let downtime = max(
            0, isSameClock ? now.clock.subtractingSaturated(clock) : now.wall.subtractingSaturated(wall))
        return now.clock.subtractingSaturated(clock).subtractingSaturated(downtime)
    }
}
