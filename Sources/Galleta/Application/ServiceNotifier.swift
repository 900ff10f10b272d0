internal import GalletaPlatform
internal import Glibc

/// Tells the service manager how the process is (sd_notify(3)): a datagram each, to the socket that NOTIFY_SOCKET names.
///
/// Nothing waits and nothing fails here: a manager that does not listen misses something.
///
/// Threading: any thread.
final class ServiceNotifier: Sendable {
    private let fd: Int32
    private let address: [UInt8]
    /// How often the manager wants a sign of life; nil where it wants none.
    let watchdogInterval: Duration?
    /// How many descriptors the manager keeps for a successor (FileDescriptorStoreMax=).
    let storeSize: Int

    /// Nil where no manager has asked.
    init?(environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], let first = path.utf8.first,
            first == UInt8(ascii: "/") || first == UInt8(ascii: "@"), path.utf8.count < 108
        else { return nil }
        let fd = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard fd >= 0 else { return nil }
        self.fd = fd
        var address = Array(path.utf8)
        // An abstract name.
        if first == UInt8(ascii: "@") { address[0] = 0 }
        self.address = address
        storeSize = environment["FDSTORE"].flatMap { Int($0) } ?? 0
        let isForUs = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        watchdogInterval =
            isForUs
            ? environment["WATCHDOG_USEC"].flatMap(Int64.init).flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// Of the process's environment, which loses what is meant for this process alone: a child that finds it would speak for us.
    static func ofProcess() -> ServiceNotifier? {
        var variables: [String: String] = [:]
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
            unsetenv(name)
        }
        // Where sockets were left for this process that it has not asked for.
        for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
        return ServiceNotifier(environment: variables)
    }

    deinit {
        close(fd)
    }

    /// Sends lines such as `READY=1`.
    func send(_ lines: String...) {
        let message = Array(lines.joined(separator: "\n").utf8)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        _ = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(fd, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    // MARK: Descriptors

    /// Leaves descriptors with the manager, which hands them to the next start; false if it did not get them.
    func store(_ descriptors: [Int32], named name: String) -> Bool {
        DescriptorMessage.send("FDSTORE=1\nFDNAME=\(name)", with: descriptors, to: address)
    }

    /// Has the manager close its copies of what was stored under the name; returns when it has, or after 5 s: as long as it
    /// has one, a connection that is closed here stays open to its peer.
    func forgetStored(named name: String) {
        send("FDSTOREREMOVE=1", "FDNAME=\(name)")
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let isSent = DescriptorMessage.send("BARRIER=1", with: [ends[1]], to: address)
        close(ends[1])
        guard isSent else { return }
        var end = pollfd(fd: ends[0], events: 0, revents: 0)
        _ = poll(&end, 1, 5_000)
    }

    /// Says that a reload begins (Type=notify-reload wants the time of it).
    func sendReloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1", "MONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)")
    }
}
