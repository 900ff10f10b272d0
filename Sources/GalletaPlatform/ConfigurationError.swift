/// A configuration that cannot be used: which field, why, and what to do about it.
public struct ConfigurationError: Error, CustomStringConvertible, Equatable {
    /// Name of the configuration's field.
    public let field: String
    /// What is wrong with its value.
    public let reason: String
    /// What to change.
    public let remedy: String

    /// - Parameters:
    ///   - field: Name of the configuration's field.
    ///   - reason: What is wrong with its value.
    ///   - remedy: What to change.
    public init(field: String, reason: String, remedy: String) {
        self.field = field
        self.reason = reason
        self.remedy = remedy
    }

    /// `field: reason; remedy`.
    public var description: String { "\(field): \(reason); \(remedy)" }
}
