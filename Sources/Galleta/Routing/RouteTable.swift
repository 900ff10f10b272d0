internal import FastCGI
internal import HTTPTypes

/// Finds the endpoint of a method and a path.
///
/// Literal paths are one look-up; patterns are tried in order of their precision, which is fixed when they are added.
struct RouteTable: Sendable {
    private typealias Methods = [(method: HTTPRequest.Method, endpoint: Endpoint)]

    private struct PatternRoute: Sendable {
        let pattern: PathPattern
        var methods: Methods
    }

    private var literals: [String: Methods] = [:]
    private var patterns: [PatternRoute] = []

    enum Match {
        case endpoint(Endpoint, captures: [(name: String, value: String)])
        /// The path is known, but not with this method.
        case otherMethods([String])
        case none
    }

    mutating func add(_ method: HTTPRequest.Method, _ path: String, _ endpoint: Endpoint) {
        let pattern = PathPattern(path)
        if pattern.isLiteral {
            Self.insert(method, endpoint, into: &literals[pattern.text, default: []])
        } else if let index = patterns.firstIndex(where: { $0.pattern == pattern }) {
            Self.insert(method, endpoint, into: &patterns[index].methods)
        } else {
            let place = patterns.firstIndex { pattern.isMorePrecise(than: $0.pattern) } ?? patterns.endIndex
            patterns.insert(PatternRoute(pattern: pattern, methods: [(method, endpoint)]), at: place)
        }
    }

    /// A route that is added again replaces the first.
    private static func insert(_ method: HTTPRequest.Method, _ endpoint: Endpoint, into methods: inout Methods) {
        if let index = methods.firstIndex(where: { $0.method == method }) {
            methods[index].endpoint = endpoint
        } else {
            methods.append((method, endpoint))
        }
    }

    func match(_ request: Request) -> Match {
        var known: [HTTPRequest.Method] = []
        if let methods = literals[request.path] {
            if let endpoint = Self.endpoint(request.method, methods) { return .endpoint(endpoint, captures: []) }
            known += methods.map(\.method)
        }
        for route in patterns {
            guard let captures = route.pattern.captures(path: request.path, segments: request.segments) else {
                continue
            }
            if let endpoint = Self.endpoint(request.method, route.methods) {
                return .endpoint(endpoint, captures: captures)
            }
            known += route.methods.map(\.method)
        }
        guard !known.isEmpty else { return .none }
        if known.contains(.get), !known.contains(.head) { known.append(.head) }
        return .otherMethods(Set(known.map(\.rawValue)).sorted())
    }

    private static func endpoint(_ method: HTTPRequest.Method, _ methods: Methods) -> Endpoint? {
        if let exact = methods.first(where: { $0.method == method }) { return exact.endpoint }
        // The server drops the body.
        return method == .head ? methods.first { $0.method == .get }?.endpoint : nil
    }
}
