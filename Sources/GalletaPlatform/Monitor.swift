internal import Glibc

/// State behind a pthread mutex, with a condition that threads wait for; see ``Locked`` for why pthread.
///
/// Critical sections must be short and must not call out to code that the caller did not write.
/// Threading: usable from any thread; not recursive.
package final class Monitor<State>: @unchecked Sendable {
    // Safe: `state` is only reached with `mutex` held; mutex and condition live as long as the object.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    package init(_ initial: consuming sending State) {
        state = initial
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A change of the wall clock must not make a wait longer.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        let failure = pthread_mutex_init(mutex, nil) | pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        precondition(failure == 0, "no mutex or condition: \(failure)")
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` with exclusive access to the state. Wakes nobody; see ``wake()``.
    package func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state)
    }

    /// Lets all waiting threads look at the state again.
    package func wake() {
        pthread_cond_broadcast(condition)
    }

    /// Lets one waiting thread look at the state again: enough where each waits for the same, and one can be served.
    package func wakeOne() {
        pthread_cond_signal(condition)
    }

    /// Waits until `holds`, then runs `body` without letting go of the lock.
    ///
    /// - Parameter timeout: After it `body` runs all the same; nil waits without end.
    package func wait<Result>(
        until holds: (State) -> Bool, timeout: Duration? = nil, then body: (inout State) -> Result
    ) -> Result {
        var deadline = timespec()
        if let timeout {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let nanoseconds = Int64(deadline.tv_nsec) + min(max(0, timeout.nanoseconds), .max / 2)
            deadline.tv_sec += Int(nanoseconds / 1_000_000_000)
            deadline.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !holds(state) {
            if timeout == nil {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
                break
            }
        }
        return body(&state)
    }
}
