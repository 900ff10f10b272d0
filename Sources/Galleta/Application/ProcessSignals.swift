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
    ///   - stop: Called at each signal that asks to stop.
    init(
        logger: Logger, reloadHooks: [Application.ReloadHook], reopenHooks: [Application.ReloadHook],
        notifier: ServiceNotifier?, stop: @escaping @Sendable () -> Void
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
                if !isStopping.isSet { notifier?.sendReloading() }
                Self.run(reopenHooks, logger)
                Self.reload(reloadHooks, logger)
                if !isStopping.isSet { notifier?.send("READY=1") }
            }
        }
        on(SIGUSR2, queue) {
            guard !reopenHooks.isEmpty else { return logger.notice("SIGUSR2: there is no log file to open again") }
            reloads.async { Self.run(reopenHooks, logger) }
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

    private static func run(_ hooks: [Application.ReloadHook], _ logger: Logger) {
        for hook in hooks {
            do {
                try hook()
            } catch {
                logger.error("what was open before stays in use: \(LogText.line("\(error)"))")
            }
        }
    }

    private static func reload(_ hooks: [Application.ReloadHook], _ logger: Logger) {
        guard !hooks.isEmpty else { return logger.notice("SIGHUP: there is nothing to read again") }
        var failures = 0
        for hook in hooks {
            do {
                try hook()
            } catch {
                failures += 1
                logger.error("SIGHUP: what was read before stays in use: \(error)")
            }
        }
        if failures == 0 { logger.notice("SIGHUP: read again") }
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
