internal import FastCGI
internal import HTTPTypes

/// Finds the endpoint of a method and a path.
///
/// Literal paths are one look-up; patterns are tried in order of their precision, which is fixed when they are added, on a
/// path that is split once.
struct RouteTable: Sendable {
    private typealias Methods = [(method: HTTPRequest.Method, endpoint: Endpoint)]

    private struct PatternRoute: Sendable {
        let pattern: PathPattern
        var methods: Methods
    }

    private var literals: [ByteString: Methods] = [:]
    private var patterns: [PatternRoute] = []
    /// The most segments of a path that a pattern looks at, and one more to see that there are more.
    private var depth = 0

    enum Match {
        case endpoint(Endpoint, captures: [(name: ByteString, value: String)])
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
            depth = max(depth, pattern.segments.count + 1)
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
        let path = request.routedPath
        // Whether a rule of the web server was applied depends on that slash: no route goes by it, but the root.
        let isWhole = !request.endsInDoubt || path.count == 1
        let literal = isWhole ? literals[path] : nil
        if let literal, let endpoint = Self.endpoint(request.method, literal) {
            return .endpoint(endpoint, captures: [])
        }
        var others = Set(literal?.map(\.method) ?? [])
        if !patterns.isEmpty {
            let found = path.withUnsafeBytes { bytes -> Match? in
                let path = SplitPath(bytes, limit: depth, isWhole: isWhole)
                for route in patterns where route.pattern.matches(path) {
                    if let endpoint = Self.endpoint(request.method, route.methods) {
                        return .endpoint(endpoint, captures: route.pattern.captures(path))
                    }
                    others.formUnion(route.methods.lazy.map(\.method))
                }
                return nil
            }
            if let found { return found }
        }
        guard !others.isEmpty else { return .none }
        if others.contains(.get) { others.insert(.head) }
        return .otherMethods(others.map(\.rawValue).sorted())
    }

    private static func endpoint(_ method: HTTPRequest.Method, _ methods: Methods) -> Endpoint? {
        if let exact = methods.first(where: { $0.method == method }) { return exact.endpoint }
        // The server drops the body.
        return method == .head ? methods.first { $0.method == .get }?.endpoint : nil
    }
}
