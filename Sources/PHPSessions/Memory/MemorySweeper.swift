internal import Dispatch
internal import GalletaPlatform

/// Takes back the memory of sessions that have ended, in the background: in short slices, on a Dispatch timer.
final class MemorySweeper: @unchecked Sendable {
    // Safe: `timer` is thread-safe by Dispatch's own contract.
    /// Sessions that are removed under the store's lock at a time.
    private static let slice = 64

    private let timer: any DispatchSourceTimer

    /// - Parameter sweep: Removes so many at most; true if there may be more.
    init(_ sweep: @escaping @Sendable (Int) -> Bool) {
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "galleta.sessions.php", qos: .utility))
        timer.setEventHandler { [weak self] in
            let hasMore = sweep(Self.slice)
            self?.timer.schedule(
                deadline: .now() + (hasMore ? .milliseconds(1) : .seconds(5)), leeway: .milliseconds(1))
        }
        timer.schedule(deadline: .now() + .seconds(5))
        timer.activate()
    }

    deinit {
        // A source that is alive keeps its handler alive.
        timer.cancel()
    }

    func close() {
        timer.cancel()
    }
}
