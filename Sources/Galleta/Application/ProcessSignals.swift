internal import Dispatch
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Synchronization

/// What the process's signals do while an application runs, each on a Dispatch source: stop, reload, or nothing.
///
/// Threading: the sources' handlers run one after the other; reload hooks on a queue of their own, so that a slow one
/// does not hold up a stop.
final class ProcessSignals: @unchecked Sendable {
    // Safe: Dispatch sources are thread-safe, and the list never changes after `init`.
    private var sources: [any DispatchSourceSignal] = []

    private static let stopping = [
        ("SIGTERM", SIGTERM), ("SIGINT", SIGINT), ("SIGQUIT", SIGQUIT), ("SIGUSR1", SIGUSR1),
    ]

    /// - Parameters:
    ///   - reloadHooks: Run at SIGHUP, in this order; what one throws is logged, and the next one runs.
    ///   - reopenHooks: Run before these, and at SIGUSR2.
    ///   - notifier: Told of each.
    ///   - reloads: Gets to know what came of each reload.
    ///   - stop: Called at each signal that asks to stop.
    init(
        logger: Logger, reloadHooks: [Application.ReloadHook], reopenHooks: [Application.ReloadHook],
        notifier: ServiceNotifier?, reloads outcomes: Monitor<ApplicationControl.Reloads>,
        stop: @escaping @Sendable () -> Void
    ) {
        let queue = DispatchQueue(label: "galleta.signals")
        let isStopping = StopFlag()
        for (name, number) in Self.stopping {
            on(number, queue) {
                isStopping.set()
                notifier?.send("STOPPING=1")
                logger.notice("stopping: \(name)")
                stop()
            }
        }
        let reloads = DispatchQueue(label: "galleta.reload")
        on(SIGHUP, queue) {
            reloads.async {
                // A manager that was told of the stop shall not hear that all is ready.
                outcomes.withLock { $0.begun += 1 }
                if !isStopping.isSet { notifier?.sendReloading() }
                let failures = Self.run(reopenHooks, logger) + Self.reload(reloadHooks, logger)
                if !isStopping.isSet { notifier?.send("READY=1") }
                outcomes.withLock { outcomes in
                    outcomes.ended = outcomes.begun
                    outcomes.failures = failures
                }
                outcomes.wake()
            }
        }
        on(SIGUSR2, queue) {
            guard !reopenHooks.isEmpty else { return logger.notice("SIGUSR2: there is no log file to open again") }
            reloads.async { _ = Self.run(reopenHooks, logger) }
        }
    }

    private func on(_ number: Int32, _ queue: DispatchQueue, _ handler: @escaping @Sendable () -> Void) {
        // The default action would end the process before the source is told.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        let isRegistered = DispatchSemaphore(value: 0)
        source.setEventHandler(handler: handler)
        source.setRegistrationHandler { isRegistered.signal() }
        source.resume()
        sources.append(source)
        // By another thread, which may take its time: until then the signal is lost.
        isRegistered.wait()
    }

    /// - Returns: What failed.
    private static func run(_ hooks: [Application.ReloadHook], _ logger: Logger) -> [String] {
        var failures: [String] = []
        for hook in hooks {
            do {
                try hook()
            } catch {
                failures.append("\(error)")
                logger.error("what was open before stays in use: \(LogText.line("\(error)"))")
            }
        }
        return failures
    }

    /// - Returns: What failed.
    private static func reload(_ hooks: [Application.ReloadHook], _ logger: Logger) -> [String] {
        guard !hooks.isEmpty else {
            logger.notice("SIGHUP: there is nothing to read again")
            return []
        }
        var failures: [String] = []
        for hook in hooks {
            do {
                try hook()
            } catch {
                failures.append("\(error)")
                logger.error("SIGHUP: what was read before stays in use: \(LogText.line("\(error)"))")
            }
        }
        if failures.isEmpty { logger.notice("SIGHUP: read again") }
        return failures
    }

    /// Until there is an object: the signals that neither stop nor end a process that serves.
    static func ignoreReload() {
        signal(SIGHUP, SIG_IGN)
        signal(SIGUSR2, SIG_IGN)
    }

    func cancel() {
        sources.forEach { $0.cancel() }
    }

    deinit {
        // A retained source that is dropped uncancelled would go on calling.
        cancel()
    }
}

private final class StopFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() {
        flag.store(true, ordering: .relaxed)
    }
}
