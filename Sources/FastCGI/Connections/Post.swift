internal import GalletaPlatform
internal import Synchronization

/// A worker's place in the crew, as the others see it: the events it has taken, whether it is in one of them, where it
/// sleeps. It outlives its worker; the next one takes it over.
///
/// Threading: methods say who may call them.
final class Post: @unchecked Sendable {
    // Safe: allocated once, never moved, atomic all of it.
    private let entries: UnsafeMutablePointer<Atomic<UInt64>>
    /// One past the last entry that may hold an event.
    private let end = Atomic<Int>(0)
    /// The owner's: the next entry to look at.
    private var next = 0
    private let activity = Atomic<UInt64>(0)
    private let isAwake = Monitor(true)
    /// When the events of the batch came at the earliest, in nanoseconds; 0 where nobody wants to know.
    let arrivedAt = Atomic<Int64>(0)

    /// Most events a worker takes at a time.
    static let capacity = 16
    /// No event packs to this.
    private static let taken = UInt64.max

    init() {
        entries = .allocate(capacity: Self.capacity)
        for index in 0..<Self.capacity { (entries + index).initialize(to: Atomic(Self.taken)) }
    }

    deinit {
        entries.deinitialize(count: Self.capacity)
        entries.deallocate()
    }

    // MARK: Events

    /// Offers events that the owner has taken; those before have been begun. By the owner.
    func fill(_ events: UnsafeBufferPointer<UInt64>) {
        for (index, event) in events.enumerated() { entries[index].store(event, ordering: .relaxed) }
        next = 0
        end.store(events.count, ordering: .releasing)
    }

    /// The next one that nobody else has taken. By the owner.
    func takeNext() -> UInt64? {
        let end = end.load(ordering: .relaxed)
        while next < end {
            let event = entries[next].exchange(Self.taken, ordering: .acquiringAndReleasing)
            next += 1
            if event != Self.taken { return event }
        }
        if end > 0 { self.end.store(0, ordering: .relaxed) }
        return nil
    }

    /// An event that the owner has not begun. By anybody.
    func steal() -> UInt64? {
        let end = end.load(ordering: .acquiring)
        // From the back: the owner comes from the front.
        for index in stride(from: end - 1, through: 0, by: -1)
        where entries[index].load(ordering: .relaxed) != Self.taken {
            let event = entries[index].exchange(Self.taken, ordering: .acquiringAndReleasing)
            if event != Self.taken { return event }
        }
        return nil
    }

    // MARK: Activity

    // The number of an event in the upper bits, what its worker does in the lower two.
    private static let isBusy: UInt64 = 1
    private static let isHeldUp: UInt64 = 2
    private static let step: UInt64 = 4

    /// An event begins. By the owner.
    func begin() {
        activity.store(activity.load(ordering: .relaxed) &+ Self.step | Self.isBusy, ordering: .releasing)
    }

    /// It is over. By the owner; true if it was found held up meanwhile.
    func finish() -> Bool {
        let before = activity.load(ordering: .relaxed)
        let found = activity.exchange(before & ~(Self.step - 1), ordering: .acquiringAndReleasing)
        return found & Self.isHeldUp != 0
    }

    /// Finds out whether the worker is still in the event in which it was at the look before. By the crew's clock.
    ///
    /// - Parameter seen: What this look saw, for the next one.
    /// - Returns: True once an event.
    func isNewlyHeldUp(since seen: inout UInt64) -> Bool {
        let now = activity.load(ordering: .acquiring)
        defer { seen = now }
        guard now == seen, now & Self.isBusy != 0, now & Self.isHeldUp == 0 else { return false }
        return activity.compareExchange(
            expected: now, desired: now | Self.isHeldUp, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Whether it is in the event in which it was found held up. By the crew's clock.
    func isStillHeldUp(since seen: UInt64) -> Bool {
        let now = activity.load(ordering: .acquiring)
        return now & Self.isHeldUp != 0 && now & ~(Self.step - 1) == seen & ~(Self.step - 1)
    }

    // MARK: Sleep

    /// Before the owner's name is on the list of those that sleep.
    func lieDown() {
        isAwake.withLock { $0 = false }
    }

    /// By the owner, until ``wake()``.
    func sleep() {
        isAwake.wait(until: { $0 }) { _ in }
    }

    func wake() {
        isAwake.withLock { $0 = true }
        isAwake.wake()
    }
}
