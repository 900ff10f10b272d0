public import FastCGI

/// The values that a route took out of a path.
public struct PathParameters: Sendable {
    let captures: [(name: String, value: String)]

    /// The decoded segment that stood for `:name`; nil if the route has no such parameter. `*` is the rest of the path.
    public subscript(_ name: String) -> String? {
        captures.first { $0.name == name }?.value
    }
}

extension Request {
    /// The values that the route took out of the path.
    public var pathParameters: PathParameters { PathParameters(captures: captures) }
}
