import Foundation

/// Lets threads go on only when `count` of them have come.
final class Rendezvous: Sendable {
    private let condition = NSCondition()
    private nonisolated(unsafe) var missing: Int

    init(_ count: Int) {
        missing = count
    }

    /// False when the others have not come in time.
    @discardableResult
    func meet(within seconds: Double = 20) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        defer { condition.unlock() }
        missing -= 1
        condition.broadcast()
        while missing > 0 {
            guard condition.wait(until: deadline) else { return false }
        }
        return true
    }
}
