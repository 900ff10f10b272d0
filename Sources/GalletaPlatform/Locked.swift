package import Glibc

/// State behind a pthread mutex.
///
/// `Synchronization.Mutex` is a futex that the thread sanitizer does not see on Linux: it reports races that are none.
/// The sanitizer intercepts pthread mutexes, so a report about state in a `Locked` means something.
///
/// Critical sections must be short and must not call out to code that the caller did not write.
/// Threading: usable from any thread; not recursive.
package final class Locked<State>: @unchecked Sendable {
    // Safe: `state` is only reached through `withLock`, which holds `mutex`; both live as long as the object.
    // Inlinable, so that other modules get code for their own type of state instead of looking up its metadata.
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline var state: State

    @inlinable
    package init(_ initial: consuming sending State) {
        state = initial
        mutex = .allocate(capacity: 1)
        let failure = pthread_mutex_init(mutex, nil)
        precondition(failure == 0, "pthread_mutex_init failed: \(failure)")
    }

    @inlinable
    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Runs `body` with exclusive access to the state.
    @inlinable
    @inline(__always)
    package func withLock<Result, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }
}
