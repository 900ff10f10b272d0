/// A provider that breaks its contract: which case, what was wanted and what came.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// The case's name.
    public private(set) var test = ""
    /// What was wanted and what came.
    public let message: String

    init(_ message: String) {
        self.message = message
    }

    func of(_ test: String) -> ConformanceFailure {
        var failure = self
        failure.test = test
        return failure
    }

    /// The case and the message.
    public var description: String { "\"\(test)\": \(message)" }
}
