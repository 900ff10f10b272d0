internal import CPlatform
internal import Glibc

/// The kernel's events: what the connections and listeners of a server wait for, in one epoll set that all workers share.
///
/// Threading: any thread.
final class Poller: Sendable {
    private let epoll: Int32
    /// Readable once the workers shall end.
    private let exitSignal: Int32
    /// Lets one of the workers that wait go and look around.
    private let nudgeSignal: Int32

    init() throws(ConfigurationError) {
        epoll = cplatform_epoll_create()
        exitSignal = cplatform_eventfd()
        nudgeSignal = cplatform_eventfd()
        guard epoll >= 0, exitSignal >= 0, nudgeSignal >= 0,
            cplatform_epoll_add_wake(epoll, exitSignal, EventKey.exit.packed) == 0,
            cplatform_epoll_add_nudge(epoll, nudgeSignal, EventKey.nudge.packed) == 0
        else {
            throw ConfigurationError(
                field: "open files",
                reason: "no descriptors are left",
                remedy: "raise the limit (ulimit -n, LimitNOFILE=)"
            )
        }
    }

    deinit {
        for fd in [epoll, exitSignal, nudgeSignal] where fd >= 0 { close(fd) }
    }

    /// Takes at most `limit` events into `events`, and waits for the first without end if it shall.
    ///
    /// - Returns: How many came; -1 when there can be none any more.
    func take(_ events: UnsafeMutablePointer<UInt64>, atMost limit: Int, waits: Bool) -> Int {
        Int(cplatform_epoll_wait(epoll, events, Int32(limit), waits))
    }

    /// Lets one of the workers that wait for events go and look what lies elsewhere.
    func nudge() {
        cplatform_eventfd_signal(nudgeSignal)
    }

    /// Wakes all workers, and each that will wait.
    func end() {
        cplatform_eventfd_signal(exitSignal)
    }

    // MARK: Connections

    /// Tells of this from now on; false where the kernel refuses.
    func watch(_ fd: Int32, _ interest: ConnectionState.Interest, isNew: Bool, _ key: EventKey) -> Bool {
        let key = key.packed
        return switch interest {
        case .bytes: (isNew ? cplatform_epoll_add_connection : cplatform_epoll_calm)(epoll, fd, key) == 0
        case .turn: (isNew ? cplatform_epoll_add_eager : cplatform_epoll_poke)(epoll, fd, key) == 0
        case .room: (isNew ? cplatform_epoll_add_room : cplatform_epoll_await_room)(epoll, fd, key) == 0
        }
    }

    // MARK: Listeners

    /// Tells once of a connection that waits there; false where the kernel refuses.
    func watch(listener fd: Int32, _ index: Int) -> Bool {
        cplatform_epoll_add_listener(epoll, fd, EventKey.listener(index).packed) == 0
    }

    /// Tells of the next one.
    func rearm(listener fd: Int32, _ index: Int) {
        _ = cplatform_epoll_rearm_listener(epoll, fd, EventKey.listener(index).packed)
    }

    func forget(_ fd: Int32) {
        _ = cplatform_epoll_remove(epoll, fd)
    }
}
