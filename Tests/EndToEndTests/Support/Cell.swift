import Foundation

/// A value that one thread leaves for another.
final class Cell<Value: Sendable>: @unchecked Sendable {
    // Safe: under the lock.
    private let lock = NSLock()
    private var content: Value?

    var value: Value? { lock.withLock { content } }

    func set(_ value: Value) {
        lock.withLock { content = value }
    }
}
