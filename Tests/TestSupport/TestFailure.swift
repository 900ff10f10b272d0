import Glibc

/// Why a test's own tool could not do its work.
public struct TestFailure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
        self.description = description
    }

    /// What failed, and errno's text.
    static func system(_ what: String, _ code: Int32) -> TestFailure {
        TestFailure(description: "\(what): \(String(cString: strerror(code)))")
    }
}
