internal import CPlatform
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

    /// The names of all variables, sorted.
    var names: [String] {
        if let overrides { return overrides.keys.sorted() }
        guard var entry = cplatform_environment() else { return [] }
        var names: [String] = []
        while let text = entry.pointee {
            names.append(String(String(cString: text).prefix { $0 != "=" }))
            entry += 1
        }
        return names.sorted()
    }
}
