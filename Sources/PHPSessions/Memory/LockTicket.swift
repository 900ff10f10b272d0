internal import GalletaPlatform

/// A thread's place in the queue of a lock.
///
/// Threading: any thread.
final class LockTicket: LockAwaiting {
    private let isGranted = Monitor(false)

    func lockIsGranted(_ digest: IDDigest) {
        isGranted.withLock { $0 = true }
        isGranted.wake()
    }

    /// Waits until the lock is the caller's. False at the deadline.
    func wait(until deadline: BootInstant) -> Bool {
        isGranted.wait(until: { $0 }, timeout: BootInstant.now.duration(to: deadline)) { $0 }
    }
}
