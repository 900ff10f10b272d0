internal import Synchronization

/// What a server has done since it started, and what it is doing.
public struct ServerStatistics: Sendable, Equatable {
    /// Connections accepted.
    public var acceptedConnections = 0
    /// Connections open now.
    public var openConnections = 0
    /// Requests handed to the handler.
    public var requests = 0
    /// Workers that run a handler now.
    public var activeWorkers = 0
    /// Most workers that ran a handler at a time.
    public var maxActiveWorkers = 0
    /// Workers in all, as configured.
    public var workers = 0
    /// Workers that were replaced because their handlers are past their deadline and have not returned.
    public var stuckWorkers = 0
    /// Connections closed because of what was sent before or inside a request head.
    public var refusedHeads = 0
    /// Connections closed at a deadline: head, idle, handler, write.
    public var timeouts = 0
    /// Answers that could not be sent to their end, those of handlers past their deadline included.
    public var failedWrites = 0
    /// Connections refused because of their peer's address.
    public var refusedPeers = 0
    /// Requests that took longer than the slow log's time; none are counted without one.
    public var slowRequests = 0
    /// Bodies and uploaded files that could not be kept: a full disk, no descriptor left.
    public var storageFailures = 0

    /// All zero.
    package init() {}
}

/// The counters behind ``ServerStatistics``. Relaxed: each is exact, together they are a moment's blur.
final class ServerCounters: Sendable {
    let accepted = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let active = Atomic<Int>(0)
    let maxActive = Atomic<Int>(0)
    let refusedHeads = Atomic<Int>(0)
    let timeouts = Atomic<Int>(0)
    let failedWrites = Atomic<Int>(0)
    let refusedPeers = Atomic<Int>(0)
    let slowRequests = Atomic<Int>(0)
    let storageFailures = Atomic<Int>(0)
    /// Tasks of async handlers and streams that have not ended.
    let tasks = Atomic<Int>(0)

    func begin() {
        requests.add(1, ordering: .relaxed)
        let now = active.add(1, ordering: .relaxed).newValue
        if now > maxActive.load(ordering: .relaxed) { _ = maxActive.max(now, ordering: .relaxed) }
    }

    func end() {
        active.subtract(1, ordering: .relaxed)
    }

    func count(_ counter: borrowing Atomic<Int>) {
        counter.add(1, ordering: .relaxed)
    }
}
