internal import CPlatform
internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// The stages of a server's life, which only ever go forward, and the signal that has its watchdog look at them.
///
/// Threading: any thread.
final class Lifecycle: Sendable {
    enum Stage: UInt8, Comparable {
        /// Connections are accepted and kept.
        case serving
        /// No new connections; kept ones are answered once more, then closed.
        case draining
        /// Idle connections are closed.
        case closing
        /// The workers end.
        case exiting

        static func < (left: Stage, right: Stage) -> Bool { left.rawValue < right.rawValue }
    }

    private let value = Atomic<UInt8>(Stage.serving.rawValue)
    private let hurry = Atomic<Bool>(false)
    /// When the watchdog looks next, if nobody calls it.
    private let nextLook = Atomic<Int64>(.min)
    private let signal: Int32

    init() throws(ConfigurationError) {
        signal = cplatform_eventfd()
        guard signal >= 0 else {
            throw ConfigurationError(
                field: "open files",
                reason: "no descriptors are left",
                remedy: "raise the limit (ulimit -n, LimitNOFILE=)"
            )
        }
    }

    deinit {
        close(signal)
    }

    var stage: Stage { Stage(rawValue: value.load(ordering: .acquiring))! }

    /// Moves to a later stage. False if it is there already or further.
    @discardableResult
    func advance(to next: Stage) -> Bool {
        var current = value.load(ordering: .acquiring)
        while current < next.rawValue {
            let (exchanged, original) = value.compareExchange(
                expected: current, desired: next.rawValue, ordering: .acquiringAndReleasing)
            if exchanged {
                callWatchdog()
                return true
            }
            current = original
        }
        return false
    }

    /// The grace of a stop is over now.
    func cutGraceShort() {
        hurry.store(true, ordering: .releasing)
        callWatchdog()
    }

    var isHurried: Bool { hurry.load(ordering: .acquiring) }

    // MARK: The watchdog

    /// Has the watchdog look before its time.
    func callWatchdog() {
        cplatform_eventfd_signal(signal)
    }

    /// Has the watchdog look in time for a new deadline.
    func look(by deadline: BootInstant) {
        if deadline.nanoseconds < nextLook.load(ordering: .sequentiallyConsistent) { callWatchdog() }
    }

    /// What is set from here on is seen at this time at the latest, unless it is to be looked at before. By the watchdog.
    func plan(_ next: BootInstant) {
        nextLook.store(next.nanoseconds, ordering: .sequentiallyConsistent)
    }

    /// Sleeps until it is called, at most until then. By the watchdog.
    func sleep(until next: BootInstant) {
        plan(next)
        let milliseconds = max(0, BootInstant.now.duration(to: next).nanoseconds / 1_000_000 + 1)
        var descriptor = pollfd(fd: signal, events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, Int32(clamping: milliseconds)) > 0 { cplatform_eventfd_clear(signal) }
    }
}
