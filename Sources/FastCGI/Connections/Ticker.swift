internal import GalletaPlatform
internal import Synchronization

/// A clock that ticks every millisecond while there may be something to look after, and sleeps else.
///
/// Threading: any thread but for ``run(while:isQuiet:tick:)``, which is the clock's own.
final class Ticker: Sendable {
    private let isTicking = Atomic<Bool>(false)

    private struct Calls {
        /// Something may have to be looked after.
        var hasCome = false
        /// It is not to run any more.
        var isOver = false
    }

    private let calls = Monitor(Calls())

    /// It goes to sleep after so many ticks that found nothing.
    private static let quietTicks = 50

    /// Has it tick, if it does not. What made this needful has to be there to see for `isQuiet` before.
    func start() {
        guard !isTicking.load(ordering: .sequentiallyConsistent) else { return }
        isTicking.store(true, ordering: .sequentiallyConsistent)
        calls.withLock { $0.hasCome = true }
        calls.wake()
    }

    /// Ends `run`, without a tick more.
    func end() {
        calls.withLock { $0.isOver = true }
        calls.wake()
    }

    /// Ticks until ``end()``.
    ///
    /// - Parameters:
    ///   - isQuiet: There is nothing to look after.
    ///   - tick: Looks after all; true if there was something.
    func run(isQuiet: () -> Bool, tick: () -> Bool) {
        var quiet = 0
        while !calls.wait(until: { $0.isOver }, timeout: .milliseconds(1), then: { $0.isOver }) {
            let foundOne = tick()
            quiet = foundOne || !isQuiet() ? 0 : quiet + 1
            guard quiet >= Self.quietTicks else { continue }
            quiet = 0
            calls.withLock { $0.hasCome = false }
            isTicking.store(false, ordering: .sequentiallyConsistent)
            // Who made something needful before this has seen it tick.
            guard isQuiet() else {
                isTicking.store(true, ordering: .sequentiallyConsistent)
                continue
            }
            calls.wait(until: { $0.hasCome || $0.isOver }) { _ in }
        }
    }
}
