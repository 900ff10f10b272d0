internal import GalletaPlatform
internal import Glibc

/// Runs a task on the thread that waits for it: for a sync step around an async handler.
///
/// `run` starts a task that prefers this executor and then works off its jobs until the task has finished: no thread
/// hop when nothing suspends (a task with a semaphore costs 30 times as much), and a plain wait when something does.
///
/// Threading: `run` is called by the owning worker only; jobs are enqueued from any thread.
package final class BlockingExecutor: TaskExecutor, @unchecked Sendable {
    // Safe: `jobs` is reached under `mutex` only; both C objects live as long as this one.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private var jobs: [UnownedJob] = []
    private struct Running {
        var cancel: (@Sendable () -> Void)?
        var isCancelled = false
    }

    private let running = Locked(Running())

    package init() {
        mutex = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(mutex)
        wake.deallocate()
        mutex.deallocate()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(mutex)
        jobs.append(job)
        pthread_cond_signal(wake)
        pthread_mutex_unlock(mutex)
    }

    /// Runs `body` to its end on the calling thread.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let outcome = Outcome<Value>()
        let task = Task(executorPreference: self) {
            do {
                outcome.set(.success(try await body()))
            } catch {
                outcome.set(.failure(error))
            }
            self.nudge()
        }
        // It may have been cancelled before it began.
        let isCancelled = running.withLock { running in
            running.cancel = { task.cancel() }
            return running.isCancelled
        }
        if isCancelled { task.cancel() }
        defer { running.withLock { $0.cancel = nil } }
        let executor = asUnownedTaskExecutor()
        while true {
            pthread_mutex_lock(mutex)
            while jobs.isEmpty, outcome.isEmpty { pthread_cond_wait(wake, mutex) }
            let job = jobs.isEmpty ? nil : jobs.removeFirst()
            pthread_mutex_unlock(mutex)
            job?.runSynchronously(on: executor)
            if let result = outcome.take() { return try result.get() }
        }
    }

    /// Cancels what `run` is running, for a handler past its deadline. From any thread.
    func cancelRunning() {
        let cancel = running.withLock { running in
            running.isCancelled = true
            return running.cancel
        }
        cancel?()
    }

    /// Wakes `run` when the task ended on another thread.
    private func nudge() {
        pthread_mutex_lock(mutex)
        pthread_cond_signal(wake)
        pthread_mutex_unlock(mutex)
    }

    /// The result of one run, set by its task and taken by its worker.
    private final class Outcome<Value: Sendable>: Sendable {
        private let result = Locked<Result<Value, any Error>?>(nil)

        var isEmpty: Bool { result.withLock { $0 == nil } }

        func set(_ value: Result<Value, any Error>) {
            result.withLock { $0 = value }
        }

        func take() -> Result<Value, any Error>? {
            result.withLock { $0 }
        }
    }
}
