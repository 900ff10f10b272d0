internal import CPlatform
internal import GalletaPlatform
internal import Glibc

/// What other threads have to tell the thread of a server: it is woken by a descriptor.
///
/// Threading: any thread.
final class HandlerInbox: Sendable {
    private struct State {
        var granted: [UInt64] = []
        var settled: [(owner: UInt64, isSettled: Bool)] = []
        var isClosing = false
    }

    private let state = Locked(State())
    /// Readable when there is something.
    let descriptor: Int32

    /// nil: there are no more descriptors.
    init?() {
        descriptor = cplatform_eventfd()
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        Glibc.close(descriptor)
    }

    /// A connection has got the lock that it waits for.
    func grant(to owner: UInt64) {
        state.withLock { $0.granted.append(owner) }
        cplatform_eventfd_signal(descriptor)
    }

    /// It is known whether what a connection has changed is on the disk.
    func settle(_ owner: UInt64, _ isSettled: Bool) {
        state.withLock { $0.settled.append((owner, isSettled)) }
        cplatform_eventfd_signal(descriptor)
    }

    func close() {
        state.withLock { $0.isClosing = true }
        cplatform_eventfd_signal(descriptor)
    }

    /// Whether the server is to end.
    var isClosing: Bool { state.withLock { $0.isClosing } }

    /// Whose locks have come, and whose changes are on the disk, or cannot be put there.
    func take() -> (granted: [UInt64], settled: [(owner: UInt64, isSettled: Bool)]) {
        cplatform_eventfd_clear(descriptor)
        return state.withLock { state in
            defer { (state.granted, state.settled) = ([], []) }
            return (state.granted, state.settled)
        }
    }

    /// A connection that waits for a lock.
    final class Waiter: LockAwaiting {
        private let inbox: HandlerInbox
        private let owner: UInt64

        init(_ inbox: HandlerInbox, owner: UInt64) {
            self.inbox = inbox
            self.owner = owner
        }

        func lockIsGranted(_ digest: IDDigest) { inbox.grant(to: owner) }
    }
}
