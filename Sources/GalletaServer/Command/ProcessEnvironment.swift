internal import Glibc

/// Environment variables, looked up by name.
struct ProcessEnvironment {
    /// Replaces the process's own variables in tests.
    var overrides: [String: String]?

    /// The value of a variable; nil if it is not set or empty.
    subscript(name: String) -> String? {
        let value = overrides.map { $0[name] } ?? getenv(name).map { String(cString: $0) }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }
}
