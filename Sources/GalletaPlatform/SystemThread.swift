internal import CPlatform
internal import Glibc

/// A pthread with every signal blocked: a signal that landed in it could cut a system call of libfcgi short.
///
/// Threading: `join` may be called from any thread but its own.
package final class SystemThread: Sendable {
    /// The errno of a thread that could not be started.
    package struct StartError: Error {
        package let code: Int32

        package init(code: Int32) {
            self.code = code
        }
    }

    private final class Body: Sendable {
        let name: String
        private let work: Locked<(@Sendable () -> Void)?>
        let isDone = Monitor(false)

        init(_ name: String, _ work: @escaping @Sendable () -> Void) {
            self.name = name
            self.work = Locked(work)
        }

        /// Does it, and lets go of it: what it has may have the thread.
        func run() {
            work.withLock { $0.take() }?()
            isDone.withLock { $0 = true }
            isDone.wake()
        }
    }

    private let body: Body

    /// Starts `run` on a new thread.
    ///
    /// - Parameter name: At most 15 bytes, as `top -H` shows it.
    package init(name: String, _ run: @escaping @Sendable () -> Void) throws(StartError) {
        body = Body(String(name.prefix(15)), run)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(body)
        let failure = cplatform_thread_start(
            &thread,
            { raw in
                let body = Unmanaged<Body>.fromOpaque(raw!).takeRetainedValue()
                // By itself: whoever started it may be slower than what it does.
                cplatform_thread_name(body.name)
                body.run()
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
        body.isDone.wait(until: { $0 }, timeout: timeout) { $0 }
    }
}
