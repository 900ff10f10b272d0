internal import CPlatform
internal import Glibc

/// A pthread with every signal blocked: a signal that landed in it could cut a system call of libfcgi short.
///
/// Threading: `join` may be called from any thread but its own.
package final class SystemThread: Sendable {
    /// The errno of a thread that could not be started.
    package struct StartError: Error {
        package let code: Int32
    }

    private final class Body: @unchecked Sendable {
        // Safe: written before the thread starts, read by it alone; `isDone` is under its lock.
        let run: @Sendable () -> Void
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        var isDone = false

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(done, nil)
        }

        deinit {
            pthread_cond_destroy(done)
            pthread_mutex_destroy(mutex)
            done.deallocate()
            mutex.deallocate()
        }

        func finish() {
            pthread_mutex_lock(mutex)
            isDone = true
            pthread_cond_broadcast(done)
            pthread_mutex_unlock(mutex)
        }
    }

    private let body: Body

    /// Starts `run` on a new thread.
    ///
    /// - Parameter name: At most 15 bytes, as `top -H` shows it.
    package init(name: String, _ run: @escaping @Sendable () -> Void) throws(StartError) {
        body = Body(run)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(body)
        let failure = cplatform_thread_start(
            &thread, String(name.prefix(15)),
            { raw in
                let body = Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue()
                body.run()
                body.finish()
                return nil
            }, argument.toOpaque())
        guard failure == 0 else {
            argument.release()
            throw StartError(code: failure)
        }
        pthread_detach(thread)
    }

    /// Waits until the thread has finished. False if it has not within `timeout`; nil waits without end.
    package func join(timeout: Duration?) -> Bool {
        pthread_mutex_lock(body.mutex)
        defer { pthread_mutex_unlock(body.mutex) }
        guard let timeout else {
            while !body.isDone { pthread_cond_wait(body.done, body.mutex) }
            return true
        }
        var deadline = timespec()
        clock_gettime(CLOCK_REALTIME, &deadline)
        let nanoseconds = Int64(deadline.tv_nsec) + max(0, timeout.nanoseconds)
        deadline.tv_sec += Int(nanoseconds / 1_000_000_000)
        deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        while !body.isDone {
            if pthread_cond_timedwait(body.done, body.mutex, &deadline) == ETIMEDOUT { return body.isDone }
        }
        return true
    }
}
