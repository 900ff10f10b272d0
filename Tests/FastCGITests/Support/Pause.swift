import GalletaPlatform
import Glibc

/// Suspends the calling task; a thread of its own wakes it. `Task.sleep` is woken through the cooperative pool, whose threads
/// wait in other tests.
func pause(milliseconds: UInt32) async {
    await withCheckedContinuation { continuation in
        let thread = try? SystemThread(name: "pause") {
            usleep(milliseconds * 1000)
            continuation.resume()
        }
        if thread == nil { continuation.resume() }
    }
}

/// Where tasks wait until so many are there.
final class Barrier: Sendable {
    private let count: Int
    private let waiting = Locked<[CheckedContinuation<Void, Never>]>([])

    init(_ count: Int) {
        self.count = count
    }

    /// How many wait.
    var arrived: Int { waiting.withLock { $0.count } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let all = waiting.withLock { waiting -> [CheckedContinuation<Void, Never>] in
                waiting.append(continuation)
                guard waiting.count == count else { return [] }
                defer { waiting = [] }
                return waiting
            }
            for continuation in all { continuation.resume() }
        }
    }
}
