public import FastCGI
internal import GalletaPlatform
internal import Glibc
internal import Logging
internal import Sessions

/// An application with its listeners, ready to serve once.
///
/// Made by ``Application/service(listeners:)``, for programs that run several things side by side. It has what
/// swift-service-lifecycle asks of a service:
///
/// ```swift
/// struct Web: Service {
///     let service: ApplicationService
///     func run() async throws {
///         try await withGracefulShutdownHandler { try await service.run() } onGracefulShutdown: { service.shutdown() }
///     }
/// }
/// ```
///
/// Threading: usable from any thread.
public struct ApplicationService: Sendable {
    let server: Server
    let sessions: SessionManager
    let logger: Logger
    let startHooks: [Application.LifecycleHook]
    let shutdownHooks: [Application.LifecycleHook]

    /// Serves until ``shutdown()`` was called, or the task is cancelled, and what was in flight is answered. No thread of the
    /// caller's waits, and no signal is taken.
    ///
    /// - Throws: `ConfigurationError` if the threads cannot be started, and what an `onStart` hook throws.
    public func run() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do throws(SystemThread.StartError) {
                    _ = try SystemThread(name: "galleta") {
                        continuation.resume(with: Result { try runOnThread() })
                    }
                } catch {
                    continuation.resume(
                        throwing: ConfigurationError(
                            field: "workers",
                            reason: "no thread can be started: \(String(cString: strerror(error.code)))",
                            remedy: "raise the limit of tasks (TasksMax=, ulimit -u) or memory"))
                }
            }
        } onCancel: {
            shutdown()
        }
    }

    /// Begins to stop: no new connections, requests in flight are finished. Returns at once; a second call cuts the grace
    /// short.
    public func shutdown() {
        server.shutdown()
    }

    /// What it has done so far.
    public var statistics: ServerStatistics { server.statistics }

    /// Serves on the calling thread.
    func runOnThread() throws {
        defer { sessions.provider.close() }
        let executor = BlockingExecutor()
        defer {
            for hook in shutdownHooks.reversed() {
                do {
                    try executor.run(hook)
                } catch {
                    logger.error("a shutdown hook failed: \(LogText.line("\(error)"))")
                }
            }
        }
        for hook in startHooks { try executor.run(hook) }
        try server.run()
    }
}

/// The running application, for its own handlers: `Application` itself belongs to the thread that sets it up.
///
/// ```swift
/// let control = app.control
/// app.get("/load") { _, _ in "\(control.statistics.activeWorkers)" }
/// ```
///
/// Threading: usable from any thread.
public final class ApplicationControl: Sendable {
    let server = Locked<Server?>(nil)

    /// Begins to stop; see ``Application/shutdown()``.
    public func shutdown() {
        server.withLock { $0 }?.shutdown()
    }

    /// What the server has done so far; all zero before there is one.
    public var statistics: ServerStatistics { server.withLock { $0 }?.statistics ?? ServerStatistics() }

    /// What the server is doing at this moment; nil before there is one.
    ///
    /// - Parameter limit: How many requests are listed.
    public func status(requests limit: Int = 0) -> ServerStatus? {
        server.withLock { $0 }?.status(requests: limit)
    }
}
