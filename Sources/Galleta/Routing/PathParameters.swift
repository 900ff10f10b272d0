public import FastCGI

/// The values that a route took out of a path.
public struct PathParameters: Sendable {
    let captures: [(name: ByteString, value: String)]

    /// The segment that stood for `:name`, and for `*` the rest of the path, in the form of `Request.path`; nil if the
    /// route has no such parameter.
    ///
    /// An encoded slash or backslash stays encoded (`%2F`, `%5C`): the value of `:name` is one segment, and `*` has no
    /// segments that were not sent as such, `..` never among them. ``decoded(_:)`` is what was meant.
    public subscript(_ name: ByteString) -> String? {
        captures.first { $0.name == name }?.value
    }

    /// The value with its slashes and backslashes, for a text that may hold them, such as the name of a thing; nil if the
    /// route has no such parameter.
    ///
    /// Never a path of a file: `../` may be in it.
    public func decoded(_ name: ByteString) -> String? {
        self[name].map(Request.decodedPathText)
    }
}

extension Request {
    /// The values that the route took out of the path.
    public var pathParameters: PathParameters { PathParameters(captures: captures) }
}
