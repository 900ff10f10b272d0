internal import GalletaPlatform
internal import Glibc
internal import Synchronization

/// A clock that ticks every millisecond while there may be something to look after, and sleeps else.
///
/// Threading: any thread but for ``run(while:isQuiet:tick:)``, which is the clock's own.
final class Ticker: Sendable {
    private let isTicking = Atomic<Bool>(false)
    private let isCalled = Monitor(false)

    /// It goes to sleep after so many ticks that found nothing.
    private static let quietTicks = 50

    /// Has it tick, if it does not. What made this needful has to be there to see for `isQuiet` before.
    func start() {
        guard !isTicking.load(ordering: .sequentiallyConsistent) else { return }
        isTicking.store(true, ordering: .sequentiallyConsistent)
        wake()
    }

    /// Lets it see that it is not to run any more.
    func wake() {
        isCalled.withLock { $0 = true }
        isCalled.wake()
    }

    /// Ticks until it is not to run any more.
    ///
    /// - Parameters:
    ///   - isQuiet: There is nothing to look after.
    ///   - tick: Looks after all; true if there was something.
    func run(while shallRun: () -> Bool, isQuiet: () -> Bool, tick: () -> Bool) {
        var quiet = 0
        while shallRun() {
            usleep(1000)
            let foundOne = tick()
            quiet = foundOne || !isQuiet() ? 0 : quiet + 1
            guard quiet >= Self.quietTicks else { continue }
            quiet = 0
            isCalled.withLock { $0 = false }
            isTicking.store(false, ordering: .sequentiallyConsistent)
            // Who made something needful before this has seen it tick.
            guard isQuiet(), shallRun() else {
                isTicking.store(true, ordering: .sequentiallyConsistent)
                continue
            }
            isCalled.wait(until: { $0 }) { _ in }
        }
    }
}
