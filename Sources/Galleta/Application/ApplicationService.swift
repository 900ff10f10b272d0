public import FastCGI
package import GalletaPlatform
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
    package let server: Server
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
    ///
    /// - Parameters:
    ///   - beforeServing: Called when all is ready.
    ///   - whenServing: Called once requests are taken.
    func runOnThread(beforeServing: () -> Void = {}, whenServing: () -> Void = {}) throws {
        defer { sessions.provider.close() }
        try start(beforeServing)
        whenServing()
        finish()
    }

    /// Runs the start hooks on the calling thread, and starts the server's threads. Where that fails, the shutdown hooks run.
    package func start(_ beforeServing: () -> Void = {}) throws {
        do {
            let executor = BlockingExecutor()
            for hook in startHooks { try executor.run(hook) }
            beforeServing()
            _ = try server.start()
        } catch {
            runShutdownHooks()
            throw error
        }
    }

    /// Waits until the server has ended, then runs the shutdown hooks on the calling thread.
    ///
    /// - Parameter patience: How long handlers may take to return that were cut at the end of the grace.
    /// - Returns: How many did not return, and were left behind with their threads.
    @discardableResult
    package func finish(patience: Duration = .seconds(2)) -> Int {
        let stuck = server.finish(patience: patience)
        runShutdownHooks()
        return stuck
    }

    private func runShutdownHooks() {
        let executor = BlockingExecutor()
        for hook in shutdownHooks.reversed() {
            do {
                try executor.run(hook)
            } catch {
                logger.error("a shutdown hook failed: \(LogText.line("\(error)"))")
            }
        }
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

    /// What has come of reloads so far.
    package struct Reloads: Sendable {
        /// How many have begun, and ended.
        package var begun = 0
        package var ended = 0
        /// What the last one could not do.
        package var failures: [String] = []
    }

    /// What the program adds to the status.
    let statusGroups = Locked<[@Sendable () -> StatusGroup]>([])

    package let reloads = Monitor(Reloads())

    /// What counts for the next request; nil before there is a server.
    public var configuration: Server.Configuration? { server.withLock { $0 }?.configuration }

    /// Has other limits and deadlines count from the next request on; see `Server.reconfigure`.
    ///
    /// - Returns: The names of properties that would be other ones, and cannot change; empty before there is a server.
    /// - Throws: `ConfigurationError` that names the property; nothing has changed then.
    @discardableResult
    public func reconfigure(_ configuration: Server.Configuration) throws -> [String] {
        try server.withLock { $0 }?.reconfigure(configuration) ?? []
    }

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
