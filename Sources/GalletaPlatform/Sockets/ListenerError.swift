internal import Glibc

/// A socket that cannot be listened on: where, why, and what to do about it.
///
/// The address is one; for what can be none there is a `ConfigurationError`.
public struct ListenerError: Error, CustomStringConvertible {
    /// The listener's name, as in `Listener.name`.
    public let listener: String
    /// What is wrong.
    public let reason: String
    /// What to change.
    public let remedy: String

    /// `cannot listen on name: reason; remedy`.
    public var description: String { "cannot listen on \(listener): \(reason); \(remedy)" }

    /// A process has the address at the moment: nothing is wrong with the configuration.
    package let isInUse: Bool

    package init(_ listener: String, _ reason: String, _ remedy: String, isInUse: Bool = false) {
        self.listener = listener
        self.reason = reason
        self.remedy = remedy
        self.isInUse = isInUse
    }

    /// The text of an errno.
    package static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
