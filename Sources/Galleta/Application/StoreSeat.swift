internal import Synchronization

/// The one request at a time that may wait for the session store on its worker: should the store stall, no more are held.
///
/// Threading: any thread.
final class StoreSeat: Sendable {
    private let isTaken = Atomic<Bool>(false)

    /// False when it is taken.
    func take() -> Bool { !isTaken.exchange(true, ordering: .acquiringAndReleasing) }

    func leave() { isTaken.store(false, ordering: .releasing) }
}
