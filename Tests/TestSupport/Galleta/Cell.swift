import Foundation

/// A value that one thread leaves for another.
public final class Cell<Value: Sendable>: @unchecked Sendable {
    // Safe: under the lock.
    private let lock = NSLock()
    private var content: Value?

    public init() {}

    public var value: Value? { lock.withLock { content } }

    public func set(_ value: Value) {
        lock.withLock { content = value }
    }
}
