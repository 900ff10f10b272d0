internal import Dispatch
internal import FastCGI
internal import GalletaPlatform
internal import Synchronization

/// What a running application tells its service manager again and again: that it lives, and how busy it is.
///
/// It lives as long as its workers come back: where all of them and all that may take their places are held by handlers, and
/// nothing has been answered since the last look, it says nothing, and the manager starts the service anew.
///
/// Threading: a Dispatch source of its own.
final class ServiceReport: @unchecked Sendable {
    // Safe: set once in `init`; Dispatch sources are thread-safe, and the rest is the timer's queue's.
    private let notifier: ServiceNotifier
    private let server: Server
    private let timer: any DispatchSourceTimer
    private var lastCount = 0
    private var lastText = ""

    init(_ notifier: ServiceNotifier, _ server: Server) {
        self.notifier = notifier
        self.server = server
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "galleta.service"))
        // Twice in the time, as sd_watchdog_enabled(3) advises; without a watchdog the status alone is sent.
        let interval = notifier.watchdogInterval.map { min($0 / 2, .seconds(10)) } ?? .seconds(10)
        let nanoseconds = Int(max(1_000_000, interval.nanoseconds))
        timer.schedule(deadline: .now() + .nanoseconds(nanoseconds), repeating: .nanoseconds(nanoseconds))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.activate()
    }

    deinit {
        // A timer that is dropped uncancelled would go on calling.
        timer.cancel()
    }

    func cancel() {
        timer.cancel()
    }

    private func look() {
        let statistics = server.statistics
        let hasMoved = statistics.requests != lastCount
        lastCount = statistics.requests
        if Self.isAlive(statistics, hasMoved: hasMoved) {
            if notifier.watchdogInterval != nil { notifier.send("WATCHDOG=1") }
        }
        let text = Self.text(statistics)
        if text != lastText { notifier.send("STATUS=\(text)") }
        lastText = text
    }

    static func isAlive(_ statistics: ServerStatistics, hasMoved: Bool) -> Bool {
        hasMoved || statistics.stuckWorkers < statistics.workers
            || statistics.activeWorkers < statistics.workers + statistics.stuckWorkers
    }

    static func text(_ statistics: ServerStatistics) -> String {
        let stuck = statistics.stuckWorkers > 0 ? ", \(statistics.stuckWorkers) stuck" : ""
        return "\(statistics.requests) requests, \(statistics.openConnections) connections, "
            + "\(statistics.activeWorkers) of \(statistics.workers) workers busy\(stuck)"
    }
}
