public import FastCGI

/// A string literal in a handler is a plain text response; interpolation works as in any string.
extension Response: ExpressibleByStringInterpolation {
    /// A plain text response with status 200.
    public init(stringLiteral value: String) {
        self = .text(value)
    }
}
